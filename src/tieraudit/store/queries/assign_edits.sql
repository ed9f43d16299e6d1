-- The pins that a person set on tasks by hand.
SELECT task_id, pin_tier, pin_reason
FROM task_edits
WHERE pin_tier IS NOT NULL
ORDER BY task_id
