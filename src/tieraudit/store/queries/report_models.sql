-- The models in the log, most spend first, with the price entry that the latest of their calls falls under.
WITH models AS (
    SELECT
        provider,
        coalesce(request_model, response_model, 'unknown') AS model,
        count(*) AS calls,
        coalesce(sum(cost_usd), 0) AS spend_usd,
        max(started_at) AS last_call
    FROM calls
    GROUP BY ALL
)

SELECT
    models.provider,
    models.model,
    models.calls,
    models.spend_usd,
    entry.input_usd_per_mtok,
    entry.output_usd_per_mtok,
    entry.source
FROM models
LEFT JOIN LATERAL (
    SELECT price_table.input_usd_per_mtok, price_table.output_usd_per_mtok, price_table.source
    FROM price_table
    WHERE price_table.provider = models.provider
        AND price_table.model = models.model
        AND price_table.valid_from <= models.last_call
        AND models.last_call < price_table.valid_to
    ORDER BY price_table.input_above, price_table.valid_from DESC, price_table.source
    LIMIT 1
) AS entry ON TRUE
ORDER BY models.spend_usd DESC, models.calls DESC, models.model, models.provider
