-- What the replies that an audit used cost, each reply once: those that its cases name, and what it paid for beside them
-- (a judge's answers). "New" are those that it paid for itself.
WITH used AS (
    SELECT case_replies.request_key
    FROM cases
    JOIN case_replies USING (case_id)
    WHERE cases.audit_id = $audit_id
    UNION
    SELECT request_key
    FROM replies
    WHERE audit_id = $audit_id
),

answered AS (
    SELECT DISTINCT ON (request_key) request_key, audit_id, cost_usd, error_type
    FROM replies
    ORDER BY request_key, error_type IS NOT NULL, created_at DESC
)

SELECT
    (SELECT count(*) FROM cases WHERE audit_id = $audit_id) AS cases,
    count(*) AS replies,
    coalesce(sum(cost_usd), 0) AS cost_usd,
    coalesce(sum(cost_usd) FILTER (WHERE audit_id = $audit_id), 0) AS new_cost_usd,
    count(*) FILTER (WHERE cost_usd IS NULL AND error_type IS NULL) AS unpriced
FROM used
JOIN answered USING (request_key)
