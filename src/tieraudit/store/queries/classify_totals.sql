SELECT call_tasks.task_id, count(*) AS calls, sum(calls.cost_usd)::DECIMAL(18, 9) AS spend_usd
FROM call_tasks
JOIN calls USING (call_id)
GROUP BY ALL
