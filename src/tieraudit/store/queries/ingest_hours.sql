-- The hours without a call between the first and the last one of a run, as spans.
WITH hours AS (
    SELECT DISTINCT date_trunc('hour', started_at) AS hour FROM calls WHERE ingest_id >= $first_ingest_id
),
steps AS (
    SELECT hour, lead(hour) OVER (ORDER BY hour) AS next_hour FROM hours
)
SELECT hour + INTERVAL 1 HOUR AS gap_from, next_hour AS gap_to, date_diff('hour', hour, next_hour) - 1 AS hours
FROM steps
WHERE date_diff('hour', hour, next_hour) > 1
ORDER BY hours DESC, gap_from
