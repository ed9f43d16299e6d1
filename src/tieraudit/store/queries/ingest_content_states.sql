-- Why calls of one run cannot be replayed, by format.
SELECT source_format, content_state, error_type IS NOT NULL AS failed, count(*) AS calls
FROM calls
WHERE ingest_id >= $first_ingest_id
    AND operation IN ('chat', 'responses', 'text_completion')
    AND content_state <> 'full'
GROUP BY ALL
ORDER BY calls DESC, source_format, content_state
