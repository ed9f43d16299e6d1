-- What was exported, the newest first; times are UTC.
SELECT exported_at AT TIME ZONE 'UTC' AS exported_at, audit_id, router, files, checks
FROM exports
ORDER BY exported_at DESC, router
