-- The pins that a person set on tasks by hand, and which task was made part of which.
SELECT task_id, merged_into, pin_tier, pin_reason
FROM task_edits
WHERE pin_tier IS NOT NULL OR merged_into IS NOT NULL
ORDER BY task_id
