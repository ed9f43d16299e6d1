SELECT fingerprint, task_id FROM templates
