-- The log's window in microseconds since 1970 UTC: its first and last call. Both NULL when the store holds no call.
SELECT epoch_us(min(started_at)) AS first_us, epoch_us(max(started_at)) AS last_us
FROM calls
