SELECT source_id, call_id::VARCHAR AS call_id, task_id
FROM call_tasks
JOIN calls USING (call_id)
ORDER BY call_id
