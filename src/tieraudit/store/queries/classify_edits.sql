SELECT task_id, name, merged_into, pin_tier, pin_reason FROM task_edits ORDER BY task_id
