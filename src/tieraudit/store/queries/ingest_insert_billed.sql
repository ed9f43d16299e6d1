-- Lines of a provider's bill; the same line of the same report again counts once.
INSERT INTO billed BY NAME
SELECT $ingest_id AS ingest_id, incoming.*
FROM arrow_input AS incoming
WHERE NOT EXISTS (
    FROM billed AS known
    WHERE known.source_format = incoming.source_format
        AND known.started_at = incoming.started_at
        AND known.ended_at = incoming.ended_at
        AND known.provider = incoming.provider
        AND known.model IS NOT DISTINCT FROM incoming.model
        AND known.account IS NOT DISTINCT FROM incoming.account
        AND known.kind IS NOT DISTINCT FROM incoming.kind
        AND known.cost_usd IS NOT DISTINCT FROM incoming.cost_usd
        AND known.input_tokens IS NOT DISTINCT FROM incoming.input_tokens
        AND known.output_tokens IS NOT DISTINCT FROM incoming.output_tokens
)
