-- How often each outcome was seen in each stream. Evidence does not depend on the order of draws, so counts are enough.
SELECT c.task_id, c.tier, c.gate, c.stage, s.outcome, s.agreement, s.self_agreement, count(*)::DOUBLE AS draws
FROM scores s
JOIN cases c ON c.case_id = s.case_id AND c.audit_id = s.audit_id
WHERE s.audit_id = $audit_id AND s.outcome IS NOT NULL
GROUP BY ALL
ORDER BY ALL
