-- A share of the chat calls, chosen by their ids alone; day counts from 1970-01-01, in UTC.
SELECT
    call_id::VARCHAR AS call_id,
    epoch(started_at) AS started_at,
    date_diff('day', DATE '1970-01-01', (started_at AT TIME ZONE 'UTC')::DATE) AS day,
    request::VARCHAR AS request,
    tags,
    task_hint,
    coalesce(response_model, request_model) AS model,
    error_type IS NOT NULL AS failed,
    cost_usd::DOUBLE AS cost_usd
FROM calls
WHERE operation = 'chat'
  AND ('0x' || substr(md5(call_id::VARCHAR), 1, 8))::UBIGINT < $share * 4294967296
