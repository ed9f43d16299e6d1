-- Draws without an outcome, with the most frequent cause.
SELECT task_id, tier, gate, stage, sum(draws)::DOUBLE AS draws, arg_max(detail, (draws, detail)) AS detail
FROM (
    SELECT c.task_id, c.tier, c.gate, c.stage, s.detail, count(*) AS draws
    FROM scores s
    JOIN cases c ON c.case_id = s.case_id AND c.audit_id = s.audit_id
    WHERE s.audit_id = $audit_id AND s.outcome IS NULL
    GROUP BY ALL
)
GROUP BY ALL
ORDER BY ALL
