-- The requests that unscored cases of an audit still wait for, each once, in the order of the draws: the calls of one task
-- one after the other, so that an engine finds their common beginning in its cache.
SELECT
    case_replies.request_key, case_replies.role, case_replies.trial, cases.task_id, cases.tier,
    calls.request::VARCHAR AS request, coalesce(calls.response_model, calls.request_model) AS served_by
FROM cases
JOIN case_replies USING (case_id)
JOIN calls USING (call_id)
ANTI JOIN (SELECT case_id FROM scores WHERE audit_id = $audit_id) AS scored ON scored.case_id = cases.case_id
ANTI JOIN (SELECT request_key FROM replies WHERE error_type IS NULL) AS answered
    ON answered.request_key = case_replies.request_key
WHERE cases.audit_id = $audit_id
QUALIFY row_number() OVER (
    PARTITION BY case_replies.request_key
    ORDER BY cases.task_id, cases.tier, cases.stage, cases.gate, cases.draw, case_replies.role, case_replies.trial
) = 1
ORDER BY cases.task_id, cases.tier, cases.stage, cases.gate, cases.draw, case_replies.role, case_replies.trial
