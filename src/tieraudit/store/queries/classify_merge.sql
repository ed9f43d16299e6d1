INSERT INTO task_edits (task_id, merged_into) VALUES ($task_id, $merged_into)
ON CONFLICT (task_id) DO UPDATE SET merged_into = excluded.merged_into
