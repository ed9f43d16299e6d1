-- A uniform sample for learning: call_id is a hash, so those up to a bound are one, whatever the order of the files.
SELECT
    call_id::VARCHAR AS call_id,
    epoch(started_at) AS at,
    coalesce(cost_usd, 0)::DOUBLE AS spend,
    request::VARCHAR AS request,
    CASE WHEN error_type IS NULL THEN response::VARCHAR END AS response,
    task_hint,
    tags
FROM calls
WHERE request IS NOT NULL
    AND content_state IN ('full', 'no_response')
    AND operation IN ('chat', 'text_completion')
    AND call_id <= $upto::UUID
