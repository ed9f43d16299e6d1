INSERT INTO task_edits (task_id, pin_tier, pin_reason) VALUES ($task_id, $pin_tier, $pin_reason)
ON CONFLICT (task_id) DO UPDATE SET pin_tier = excluded.pin_tier, pin_reason = excluded.pin_reason
