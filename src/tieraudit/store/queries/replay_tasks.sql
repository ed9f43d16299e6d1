-- What of each task could be replayed, how large its requests and answers are in the log, and the models that served it.
SELECT
    call_tasks.task_id,
    count(*) FILTER (WHERE eligible) AS eligible,
    avg(strlen(request)) FILTER (WHERE eligible) AS request_bytes,
    avg(coalesce(TRY_CAST(request->>'$.max_completion_tokens' AS BIGINT), TRY_CAST(request->>'$.max_tokens' AS BIGINT)))
        FILTER (WHERE eligible) AS limit_tokens,
    avg(CAST(
        coalesce(request->>'$.max_completion_tokens', request->>'$.max_tokens') IS NULL AS INTEGER
    )) FILTER (WHERE eligible) AS unlimited_share,
    avg(input_tokens) FILTER (WHERE eligible) AS input_tokens,
    avg(output_tokens) FILTER (WHERE eligible) AS output_tokens,
    coalesce(list_sort(list(DISTINCT coalesce(response_model, request_model)) FILTER (WHERE eligible)), []) AS models,
    list_sort(list_distinct(flatten(list(tags)))) AS tags
FROM call_tasks
JOIN (
    SELECT
        calls.*,
        content_state = 'full' AND error_type IS NULL AND operation = 'chat'
            AND request IS NOT NULL AND response IS NOT NULL AS eligible
    FROM calls
) AS calls USING (call_id)
GROUP BY call_tasks.task_id
ORDER BY call_tasks.task_id
