-- How long the prompts of each task are in characters of text: the 99.9 % quantile. Parts of a message count with
-- their JSON, so that the bound errs upwards.
SELECT
    ct.task_id,
    quantile_cont(
        list_sum(list_transform(c.request ->> '$.messages[*].content', lambda text: length(coalesce(text, '')))),
        0.999
    ) AS chars
FROM calls c
JOIN call_tasks ct USING (call_id)
WHERE c.operation = 'chat' AND c.request IS NOT NULL AND list_contains($task_ids, ct.task_id)
GROUP BY ct.task_id
ORDER BY ct.task_id
