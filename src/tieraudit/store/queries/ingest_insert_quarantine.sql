-- Rows that could not be read; one that is already there, from the same file, is not written twice.
INSERT INTO quarantine BY NAME
SELECT $ingest_id AS ingest_id, incoming.*
FROM arrow_input AS incoming
WHERE NOT EXISTS (
    FROM quarantine AS known
    WHERE known.source_file = incoming.source_file
        AND known.source_line = incoming.source_line
        AND known.reason = incoming.reason
        AND known.excerpt = incoming.excerpt
)
