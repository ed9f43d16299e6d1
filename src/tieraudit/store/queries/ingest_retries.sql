-- Failed calls of one run that were tried again: the same prompt, later, in the same trace. Each attempt is kept, linked
-- by its trace; the call itself is counted once, as the last attempt.
SELECT count(*) AS retried
FROM calls AS failed
WHERE failed.ingest_id >= $first_ingest_id
    AND failed.error_type IS NOT NULL
    AND failed.trace_id IS NOT NULL
    AND EXISTS (
        FROM calls AS again
        WHERE again.trace_id = failed.trace_id
            AND again.started_at > failed.started_at
            AND again.operation = failed.operation
            AND again.request IS NOT DISTINCT FROM failed.request
    )
