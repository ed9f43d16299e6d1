-- One audit. Its created_at is wall-clock time and belongs in no report.
SELECT audit_id, version, seed, baseline, tiers, config, status
FROM audits
WHERE audit_id = $audit_id
