-- The configuration of every audit: what an hour of a GPU cost when its replies were paid for.
SELECT audit_id, config, plan
FROM audits
ORDER BY audit_id
