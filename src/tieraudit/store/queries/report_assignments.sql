-- The assignments of an audit, the dearest task first.
SELECT *
FROM assignments
WHERE audit_id = $audit_id
ORDER BY cost_now_usd_month DESC, task_id
