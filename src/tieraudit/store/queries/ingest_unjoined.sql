-- The parts of every key that got a new part, all of the key together; emptied ones have nothing to say.
SELECT source_format, key, part, source_file, source_line, record, joined
FROM fragments
WHERE record <> '{}'
    AND (source_format, key) IN (SELECT (source_format, key) FROM fragments WHERE NOT joined)
ORDER BY source_format, key, ingest_id, source_line, part, digest
