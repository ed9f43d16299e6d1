-- The requests of drawn calls, and the model that served each.
SELECT call_id, request::VARCHAR AS request, coalesce(response_model, request_model) AS model
FROM calls
WHERE call_id IN (SELECT unnest($call_ids::UUID[]))
