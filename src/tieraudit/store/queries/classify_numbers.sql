-- Tokens and latency of one task.
SELECT
    median(input_tokens)::DOUBLE AS input_tokens,
    quantile_cont(input_tokens, 0.95)::DOUBLE AS input_tokens_p95,
    median(output_tokens)::DOUBLE AS output_tokens,
    quantile_cont(output_tokens, 0.95)::DOUBLE AS output_tokens_p95,
    median(latency_ms)::DOUBLE AS latency_ms,
    quantile_cont(latency_ms, 0.95)::DOUBLE AS latency_ms_p95,
    count(*) FILTER (error_type IS NOT NULL) AS errors,
    count(*) AS calls
FROM call_tasks
JOIN calls USING (call_id)
WHERE task_id = $task_id
