SELECT source_id, request::VARCHAR AS request, response::VARCHAR AS response
FROM call_tasks
JOIN calls USING (call_id)
WHERE task_id = $task_id AND request IS NOT NULL
ORDER BY response IS NULL, call_id
LIMIT $count
