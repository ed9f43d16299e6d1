-- The tiers that are proven for each task.
SELECT task_id, tier
FROM verdicts
WHERE audit_id = $audit_id AND verdict = 'proven'
ORDER BY task_id, tier
