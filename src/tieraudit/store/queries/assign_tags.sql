-- The tags that calls of a task carry. One call with a pinned tag is enough to pin its task.
SELECT DISTINCT call_tasks.task_id, unnest(calls.tags) AS tag
FROM call_tasks
JOIN calls USING (call_id)
ORDER BY ALL
