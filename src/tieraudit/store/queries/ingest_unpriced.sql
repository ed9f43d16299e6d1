-- Calls of one run without a cost, by model, with whether the log had their token counts.
SELECT
    provider,
    coalesce(request_model, response_model) AS model,
    count(*) AS calls,
    count(*) FILTER (input_tokens IS NULL OR output_tokens IS NULL) AS without_tokens
FROM calls
WHERE ingest_id >= $first_ingest_id AND cost_usd IS NULL
GROUP BY ALL
ORDER BY calls DESC, provider, model
