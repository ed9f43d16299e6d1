-- New calls of one batch, priced: the answering model's price where it is known, else that of the model asked for.
-- A price row fits by date and by size of the request; no fitting row, or no token counts, leaves the cost unknown.
INSERT INTO calls BY NAME
WITH priced AS (
    SELECT
        incoming.* REPLACE (incoming.call_id::UUID AS call_id),
        coalesce(answered.input_usd_per_mtok, asked.input_usd_per_mtok) AS input_rate,
        coalesce(answered.cache_read_usd_per_mtok, asked.cache_read_usd_per_mtok) AS cache_read_rate,
        coalesce(answered.cache_creation_usd_per_mtok, asked.cache_creation_usd_per_mtok) AS cache_creation_rate,
        coalesce(answered.output_usd_per_mtok, asked.output_usd_per_mtok) AS output_rate,
        coalesce(answered.reasoning_usd_per_mtok, asked.reasoning_usd_per_mtok) AS reasoning_rate,
        coalesce(incoming.cache_read_input_tokens, 0) AS cache_read,
        coalesce(incoming.cache_creation_input_tokens, 0) AS cache_creation,
        least(coalesce(incoming.reasoning_output_tokens, 0), incoming.output_tokens) AS reasoning
    FROM arrow_input AS incoming
    LEFT JOIN price_table AS answered
        ON answered.provider = coalesce(incoming.provider, '')
        AND answered.model = incoming.response_model
        AND incoming.started_at >= answered.valid_from
        AND incoming.started_at < answered.valid_to
        AND incoming.input_tokens > answered.input_above
        AND incoming.input_tokens <= answered.input_up_to
    LEFT JOIN price_table AS asked
        ON asked.provider = coalesce(incoming.provider, '')
        AND asked.model = incoming.request_model
        AND incoming.started_at >= asked.valid_from
        AND incoming.started_at < asked.valid_to
        AND incoming.input_tokens > asked.input_above
        AND incoming.input_tokens <= asked.input_up_to
    WHERE NOT EXISTS (FROM calls WHERE calls.call_id = incoming.call_id::UUID)
),
costed AS (
    SELECT
        priced.*,
        -- Whole millionths first and one multiplication at the end: DECIMAL division would leave exact arithmetic.
        CASE
            WHEN error_type IS NOT NULL AND input_tokens IS NULL AND output_tokens IS NULL THEN 0
            ELSE ((
                greatest(input_tokens - cache_read - cache_creation, 0)::DECIMAL(13, 0) * input_rate
                + cache_read::DECIMAL(13, 0) * cache_read_rate
                + cache_creation::DECIMAL(13, 0) * cache_creation_rate
                + (output_tokens - reasoning)::DECIMAL(13, 0) * output_rate
                + reasoning::DECIMAL(13, 0) * reasoning_rate
            )::DECIMAL(30, 9) * CASE
                -- OpenAI, Azure and Anthropic bill their batches at half the list price.
                WHEN source_format IN ('openai-batch', 'anthropic-batch') THEN 0.0000005::DECIMAL(7, 7)
                ELSE 0.000001::DECIMAL(7, 7)
            END)::DECIMAL(18, 9)
        END AS computed_cost_usd
    FROM priced
)
SELECT
    $ingest_id AS ingest_id,
    costed.* EXCLUDE (
        input_rate, cache_read_rate, cache_creation_rate, output_rate, reasoning_rate, cache_read, cache_creation, reasoning
    ),
    CASE
        WHEN cache_hit THEN 0
        WHEN logged_cost_usd > 0 THEN logged_cost_usd
        ELSE computed_cost_usd
    END AS cost_usd
FROM costed
