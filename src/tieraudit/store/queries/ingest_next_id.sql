-- The number of the next ingest.
SELECT coalesce(max(ingest_id), 0) + 1 AS ingest_id FROM ingests
