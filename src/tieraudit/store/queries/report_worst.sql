-- The lowest-scoring replays of each task and tier, three at most, each call once.
WITH scored AS (
    SELECT
        cases.task_id,
        cases.tier,
        cases.call_id,
        cases.case_id,
        cases.stage,
        cases.draw,
        scores.detail,
        coalesce(scores.agreement, scores.outcome) AS agreement
    FROM cases
    JOIN scores ON scores.case_id = cases.case_id AND scores.audit_id = cases.audit_id
    WHERE cases.audit_id = $audit_id AND scores.outcome IS NOT NULL
),

once AS (
    SELECT DISTINCT ON (task_id, tier, call_id) *
    FROM scored
    WHERE agreement < 1
    ORDER BY task_id, tier, call_id, agreement, stage, draw
),

lowest AS (
    SELECT *
    FROM once
    QUALIFY row_number() OVER (PARTITION BY task_id, tier ORDER BY agreement, stage, draw, call_id) <= 3
),

answered AS (
    SELECT DISTINCT ON (request_key) request_key, output
    FROM replies
    WHERE error_type IS NULL
    ORDER BY request_key, created_at DESC
)

SELECT
    lowest.task_id,
    lowest.tier,
    lowest.call_id,
    lowest.agreement,
    lowest.detail,
    calls.request,
    calls.response,
    answered.output
FROM lowest
JOIN calls USING (call_id)
JOIN case_replies ON case_replies.case_id = lowest.case_id AND case_replies.role = 'candidate' AND case_replies.trial = 0
JOIN answered USING (request_key)
ORDER BY lowest.task_id, lowest.tier, lowest.agreement, lowest.stage, lowest.draw, lowest.call_id
