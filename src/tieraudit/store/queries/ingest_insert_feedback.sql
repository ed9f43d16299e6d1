-- What was said of calls; the same said again counts once.
INSERT INTO feedback BY NAME
SELECT $ingest_id AS ingest_id, incoming.*
FROM arrow_input AS incoming
WHERE NOT EXISTS (
    FROM feedback AS known
    WHERE known.source_id IS NOT DISTINCT FROM incoming.source_id
        AND known.trace_id IS NOT DISTINCT FROM incoming.trace_id
        AND known.name = incoming.name
        AND known.value IS NOT DISTINCT FROM incoming.value
        AND known.label IS NOT DISTINCT FROM incoming.label
        AND known.comment IS NOT DISTINCT FROM incoming.comment
)
