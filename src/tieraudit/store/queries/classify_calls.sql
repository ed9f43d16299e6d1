-- The calls that are not in the learning sample.
SELECT
    call_id::VARCHAR AS call_id,
    epoch(started_at) AS at,
    request::VARCHAR AS request,
    task_hint
FROM calls
WHERE request IS NOT NULL
    AND content_state IN ('full', 'no_response')
    AND operation IN ('chat', 'text_completion')
    AND call_id > $beyond::UUID
