-- What entered the evidence, in the order in which it was drawn.
SELECT cases.task_id, cases.tier, cases.gate, cases.stage, scores.outcome
FROM cases
JOIN scores ON scores.case_id = cases.case_id AND scores.audit_id = cases.audit_id
WHERE cases.audit_id = $audit_id AND scores.outcome IS NOT NULL
ORDER BY cases.task_id, cases.tier, cases.gate, cases.stage, cases.draw
