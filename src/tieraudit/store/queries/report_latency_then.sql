-- How long the candidates took, as replayed, each reply once.
WITH used AS (
    SELECT DISTINCT cases.task_id, cases.tier, case_replies.request_key
    FROM cases
    JOIN case_replies USING (case_id)
    WHERE cases.audit_id = $audit_id AND case_replies.role = 'candidate'
)

SELECT
    used.task_id,
    used.tier,
    quantile_cont(replies.latency_ms, 0.5) AS p50,
    quantile_cont(replies.latency_ms, 0.95) AS p95
FROM used
JOIN replies USING (request_key)
WHERE replies.error_type IS NULL
GROUP BY ALL
ORDER BY used.task_id, used.tier
