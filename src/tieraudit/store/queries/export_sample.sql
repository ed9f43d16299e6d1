-- Up to $per_task answered calls of each task, and of those outside all tasks, in an order that depends on nothing
-- but their ids; with how many calls the task has in all.
WITH ranked AS (
    SELECT
        c.call_id,
        ct.task_id,
        count(*) OVER task AS calls,
        row_number() OVER (PARTITION BY coalesce(ct.task_id, '') ORDER BY md5(c.call_id::VARCHAR)) AS place
    FROM calls c
    LEFT JOIN call_tasks ct USING (call_id)
    WHERE c.operation = 'chat' AND c.request IS NOT NULL AND c.error_type IS NULL
    WINDOW task AS (PARTITION BY coalesce(ct.task_id, ''))
)
SELECT
    r.task_id,
    r.calls,
    coalesce(c.request_model, c.response_model) AS model,
    c.request,
    c.tags
FROM ranked r
JOIN calls c USING (call_id)
WHERE r.place <= $per_task
ORDER BY r.task_id NULLS LAST, r.place
