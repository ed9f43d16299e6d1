-- A call that is stored without its content gets it from a fuller record of the same call; it stays one call.
UPDATE calls
SET
    request = incoming.request,
    response = incoming.response,
    content_state = incoming.content_state,
    operation = incoming.operation,
    response_model = coalesce(calls.response_model, incoming.response_model),
    stream = coalesce(calls.stream, incoming.stream),
    time_to_first_token_ms = coalesce(calls.time_to_first_token_ms, incoming.time_to_first_token_ms),
    user_id = coalesce(calls.user_id, incoming.user_id),
    task_hint = coalesce(calls.task_hint, incoming.task_hint)
FROM arrow_input AS incoming
WHERE calls.call_id = incoming.call_id::UUID
    AND list_position(['absent', 'redacted', 'no_response', 'full'], incoming.content_state)
        > list_position(['absent', 'redacted', 'no_response', 'full'], calls.content_state)
