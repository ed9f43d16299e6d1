-- Cases without a score whose replies are all present: one candidate reply in stage 1; three and one of the incumbent in
-- stage 2. Where a request was tried again after an error, the success counts.
WITH pending AS (
    SELECT c.* FROM cases c
    ANTI JOIN (SELECT case_id FROM scores WHERE audit_id = $audit_id) s ON s.case_id = c.case_id
    WHERE c.audit_id = $audit_id
),
answered AS (
    SELECT DISTINCT ON (p.case_id, a.role, a.trial) p.case_id, p.stage, a.role, a.trial, r.output, r.error_type
    FROM pending p
    JOIN case_replies a ON a.case_id = p.case_id
    JOIN replies r ON r.request_key = a.request_key
    ORDER BY p.case_id, a.role, a.trial, r.error_type IS NOT NULL, r.created_at DESC
),
complete AS (
    SELECT
        case_id,
        list({'role': role, 'trial': trial, 'output': output::VARCHAR, 'error_type': error_type} ORDER BY role, trial)
            AS replies
    FROM answered
    GROUP BY case_id, stage
    HAVING count(*) FILTER (role = 'candidate') >= CASE stage WHEN 1 THEN 1 ELSE 3 END
       AND count(*) FILTER (role = 'incumbent') >= CASE stage WHEN 1 THEN 0 ELSE 1 END
)
SELECT
    p.case_id, p.task_id, p.tier, p.gate, p.stage, p.draw,
    k.request::VARCHAR AS request, k.response::VARCHAR AS response, c.replies
FROM complete c
JOIN pending p ON p.case_id = c.case_id
JOIN calls k ON k.call_id = p.call_id
ORDER BY p.task_id, p.tier, p.gate, p.stage, p.draw, p.case_id
