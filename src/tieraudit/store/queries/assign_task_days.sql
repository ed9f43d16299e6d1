-- What each task cost on each 24-hour day counted from the first call; task_id NULL stands for calls outside any task.
-- Failed calls cost what the log says and would do so on any tier, so they are kept apart from answered ones.
SELECT
    call_tasks.task_id,
    least(CAST(floor(epoch(calls.started_at - $first_call) / 86400) AS INTEGER), $days - 1) AS day,
    count(*) AS calls,
    count(calls.cost_usd) FILTER (WHERE calls.error_type IS NULL) AS priced_calls,
    coalesce(sum(calls.cost_usd) FILTER (WHERE calls.error_type IS NULL), 0) AS answered_usd,
    coalesce(sum(calls.cost_usd) FILTER (WHERE calls.error_type IS NOT NULL), 0) AS failed_usd,
    coalesce(sum(calls.input_tokens) FILTER (WHERE calls.error_type IS NULL AND calls.cost_usd IS NOT NULL), 0)
        AS input_tokens,
    coalesce(sum(calls.output_tokens) FILTER (WHERE calls.error_type IS NULL AND calls.cost_usd IS NOT NULL), 0)
        AS output_tokens
FROM calls
LEFT JOIN call_tasks USING (call_id)
GROUP BY ALL
ORDER BY ALL
