-- The calls that are made of these keys now.
INSERT INTO joined_calls
SELECT DISTINCT $source_format, key, call_id::UUID
FROM arrow_input AS incoming
WHERE incoming.call_id IS NOT NULL
    AND NOT EXISTS (
        FROM joined_calls AS known
        WHERE known.source_format = $source_format AND known.key = incoming.key AND known.call_id = incoming.call_id::UUID
    )
