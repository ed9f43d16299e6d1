-- The calls of one run by the format that they came in.
SELECT source_format, count(*) AS calls FROM calls WHERE ingest_id >= $first_ingest_id GROUP BY ALL ORDER BY ALL
