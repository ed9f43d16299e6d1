-- Every task, the largest spend first, with the model that most of its calls name and what of it could be replayed.
WITH members AS (
    SELECT call_tasks.task_id, calls.*
    FROM call_tasks
    JOIN calls USING (call_id)
),

models AS (
    SELECT task_id, coalesce(request_model, response_model, 'unknown') AS model, count(*) AS calls
    FROM members
    GROUP BY ALL
),

most_used AS (
    SELECT DISTINCT ON (task_id) task_id, model
    FROM models
    ORDER BY task_id, calls DESC, model
),

counted AS (
    SELECT
        task_id,
        count(*) FILTER (WHERE content_state = 'full' AND error_type IS NULL AND operation = 'chat') AS replayable,
        count(*) FILTER (WHERE error_type IS NOT NULL) AS failed,
        count(*) FILTER (WHERE content_state = 'no_response') AS without_answer,
        count(*) FILTER (WHERE content_state = 'redacted') AS redacted,
        count(*) FILTER (WHERE operation <> 'chat') AS not_chat
    FROM members
    GROUP BY task_id
)

SELECT
    tasks.*,
    coalesce(most_used.model, 'unknown') AS incumbent_model,
    coalesce(counted.replayable, 0) AS replayable,
    coalesce(counted.failed, 0) AS failed,
    coalesce(counted.without_answer, 0) AS without_answer,
    coalesce(counted.redacted, 0) AS redacted,
    coalesce(counted.not_chat, 0) AS not_chat
FROM tasks
LEFT JOIN most_used USING (task_id)
LEFT JOIN counted USING (task_id)
ORDER BY tasks.spend_usd DESC NULLS LAST, tasks.task_id
