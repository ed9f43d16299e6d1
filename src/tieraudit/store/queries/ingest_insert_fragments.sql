-- Parts of calls; one that is known already is not written twice. RETURNING nothing: the count is the new rows.
INSERT INTO fragments BY NAME
SELECT $ingest_id AS ingest_id, incoming.*, false AS joined
FROM arrow_input AS incoming
WHERE NOT EXISTS (
    FROM fragments AS known
    WHERE known.source_format = incoming.source_format AND known.key = incoming.key AND known.digest = incoming.digest
)
