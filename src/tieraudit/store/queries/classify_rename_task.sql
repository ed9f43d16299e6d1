UPDATE tasks SET name = $name WHERE task_id = $task_id
