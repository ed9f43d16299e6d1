-- How long the incumbent took, as logged.
SELECT
    call_tasks.task_id,
    quantile_cont(calls.latency_ms, 0.5) AS p50,
    quantile_cont(calls.latency_ms, 0.95) AS p95
FROM call_tasks
JOIN calls USING (call_id)
WHERE calls.error_type IS NULL AND NOT calls.cache_hit AND calls.latency_ms IS NOT NULL
GROUP BY call_tasks.task_id
ORDER BY call_tasks.task_id
