-- Which models the calls of each task asked for, most used first; task_id is NULL for calls outside all tasks. Routes
-- only move chat calls, but the callers of every other operation go on calling their models by name too.
SELECT
    ct.task_id,
    coalesce(c.provider, '') AS provider,
    coalesce(c.request_model, c.response_model) AS model,
    c.operation = 'chat' AS is_chat,
    count(*) AS calls
FROM calls c
LEFT JOIN call_tasks ct USING (call_id)
WHERE coalesce(c.request_model, c.response_model) IS NOT NULL
GROUP BY ALL
ORDER BY calls DESC, model, provider, ct.task_id
