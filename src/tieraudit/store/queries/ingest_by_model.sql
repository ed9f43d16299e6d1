-- What one run brought, by provider and model; a cost that is not known for any call of a model is NULL, never 0.
SELECT
    provider,
    coalesce(request_model, response_model) AS model,
    count(*) AS calls,
    sum(logged_cost_usd)::DECIMAL(18, 9) AS logged_cost_usd,
    sum(computed_cost_usd)::DECIMAL(18, 9) AS computed_cost_usd,
    sum(logged_cost_usd) FILTER (logged_cost_usd > 0 AND computed_cost_usd > 0 AND NOT cache_hit)::DECIMAL(18, 9)
        AS compared_logged_usd,
    sum(computed_cost_usd) FILTER (logged_cost_usd > 0 AND computed_cost_usd > 0 AND NOT cache_hit)::DECIMAL(18, 9)
        AS compared_computed_usd
FROM calls
WHERE ingest_id >= $first_ingest_id
GROUP BY ALL
ORDER BY sum(cost_usd) DESC NULLS LAST, calls DESC, provider, model
