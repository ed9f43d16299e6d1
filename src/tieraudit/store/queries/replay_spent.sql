-- What an audit paid itself, in dollars and in requests, and how many cases it drew.
SELECT
    coalesce(sum(cost_usd), 0) AS spent_usd,
    count(*) AS replies,
    (SELECT count(*) FROM cases WHERE audit_id = $audit_id) AS cases
FROM replies
WHERE audit_id = $audit_id
