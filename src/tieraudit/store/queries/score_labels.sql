-- The most frequent answers of each task, for scorers that compare labels.
SELECT t.task_id, k.response->>'$.text' AS answer
FROM call_tasks t
JOIN calls k ON k.call_id = t.call_id
WHERE t.task_id IN (SELECT unnest($task_ids::VARCHAR[])) AND k.error_type IS NULL AND k.response->>'$.text' IS NOT NULL
GROUP BY t.task_id, k.response->>'$.text'
QUALIFY row_number() OVER (PARTITION BY t.task_id ORDER BY count(*) DESC, answer) <= 200
ORDER BY t.task_id, answer
