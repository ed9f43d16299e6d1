-- The audit that was begun last.
SELECT audit_id, status
FROM audits
ORDER BY created_at DESC, audit_id
LIMIT 1
