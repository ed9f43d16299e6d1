-- Calls whose prompt the log does not carry, with what they can be grouped by: the caller's name or tag, else the model.
SELECT
    call_id::VARCHAR AS call_id,
    CASE
        WHEN operation NOT IN ('chat', 'text_completion')
            THEN operation || ' ' || coalesce(request_model, response_model, '')
        ELSE coalesce(
            task_hint,
            list_filter(list_sort(tags), lambda tag: NOT starts_with(tag, 'User-Agent'))[1],
            request_model,
            response_model,
            'unknown model'
        )
    END AS label
FROM calls
WHERE NOT (
    request IS NOT NULL
    AND content_state IN ('full', 'no_response')
    AND operation IN ('chat', 'text_completion')
)
