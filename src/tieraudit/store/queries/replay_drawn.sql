-- How many draws each stream of an audit has.
SELECT task_id, tier, gate, stage, max(draw) + 1 AS draws
FROM cases
WHERE audit_id = $audit_id
GROUP BY ALL
