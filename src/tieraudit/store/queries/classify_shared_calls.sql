-- How many calls each new cluster shares with each earlier task.
SELECT new.cluster, old.task_id, count(*) AS calls
FROM call_tasks AS old
JOIN arrow_input AS new ON old.call_id = new.call_id::UUID
GROUP BY ALL
