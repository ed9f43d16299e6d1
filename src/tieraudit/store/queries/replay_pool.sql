-- The calls of a task that can be replayed, in a fixed order.
SELECT calls.call_id, calls.conversation_id, calls.response->>'$.text' AS answer
FROM call_tasks
JOIN calls USING (call_id)
WHERE call_tasks.task_id = $task_id
    AND calls.content_state = 'full' AND calls.error_type IS NULL AND calls.operation = 'chat'
    AND calls.request IS NOT NULL AND calls.response IS NOT NULL
ORDER BY calls.call_id
