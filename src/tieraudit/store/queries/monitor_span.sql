-- How many chat calls there are, and from when to when, in UTC.
SELECT
    count(*) AS calls,
    min(started_at) AT TIME ZONE 'UTC' AS first_call,
    max(started_at) AT TIME ZONE 'UTC' AS last_call
FROM calls
WHERE operation = 'chat'
