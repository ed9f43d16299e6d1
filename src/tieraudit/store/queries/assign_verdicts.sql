-- All verdicts of an audit.
SELECT *
FROM verdicts
WHERE audit_id = $audit_id
ORDER BY task_id, tier
