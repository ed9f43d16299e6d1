-- How far the work has come, in one row; times are UTC.
WITH audit AS (
    SELECT audit_id, status FROM audits ORDER BY created_at DESC, audit_id LIMIT 1
)
SELECT
    (SELECT count(*) FROM calls) AS calls,
    (SELECT count(*) FROM calls WHERE request IS NOT NULL) AS with_prompt,
    (SELECT min(started_at) AT TIME ZONE 'UTC' FROM calls) AS first_call,
    (SELECT max(started_at) AT TIME ZONE 'UTC' FROM calls) AS last_call,
    (SELECT coalesce(sum(rows_quarantined), 0) FROM ingests) AS quarantined,
    (SELECT count(*) FROM tasks) AS tasks,
    (SELECT count(*) FROM calls ANTI JOIN call_tasks USING (call_id)) AS unclassified,
    (SELECT audit_id FROM audit) AS audit_id,
    (SELECT status FROM audit) AS audit_status,
    (SELECT count(*) FROM verdicts SEMI JOIN audit USING (audit_id) WHERE verdict = 'proven') AS proven,
    (SELECT count(*) FROM verdicts SEMI JOIN audit USING (audit_id) WHERE verdict = 'refuted') AS refuted,
    (SELECT count(*) FROM verdicts SEMI JOIN audit USING (audit_id) WHERE verdict = 'undecided') AS undecided,
    (SELECT count(*) FROM checks) AS checks,
    (SELECT max_by(status, checked_at) FROM checks) AS last_status,
    (SELECT max(checked_at) AT TIME ZONE 'UTC' FROM checks) AS last_check
