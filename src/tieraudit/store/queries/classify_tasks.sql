SELECT
    tasks.*,
    coalesce(sum(spend_usd) OVER (), 0)::DECIMAL(18, 9) AS spend_of_all,
    pin_tier,
    pin_reason
FROM tasks
LEFT JOIN task_edits USING (task_id)
ORDER BY is_tail, tasks.spend_usd DESC NULLS LAST, tasks.calls DESC, task_id
