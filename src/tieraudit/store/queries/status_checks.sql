-- What `monitor` found, the newest first; times are UTC.
SELECT
    checked_at AT TIME ZONE 'UTC' AS checked_at,
    audit_id,
    status,
    window_from AT TIME ZONE 'UTC' AS window_from,
    window_to AT TIME ZONE 'UTC' AS window_to,
    alarms
FROM checks
ORDER BY checked_at DESC
