INSERT INTO task_edits (task_id, name) VALUES ($task_id, $name)
ON CONFLICT (task_id) DO UPDATE SET name = excluded.name
