-- One run as a whole. Embeddings, images and the like carry no conversation, so they do not count in the content share.
SELECT
    min(started_at) AS first_call,
    max(started_at) AS last_call,
    count(*) FILTER (cost_usd IS NULL) AS unpriced_calls,
    count(*) FILTER (operation IN ('chat', 'responses', 'text_completion')) AS conversations,
    count(*) FILTER (operation IN ('chat', 'responses', 'text_completion') AND content_state = 'full') AS with_content,
    sum(cost_usd) AS cost_usd
FROM calls
WHERE ingest_id >= $first_ingest_id
