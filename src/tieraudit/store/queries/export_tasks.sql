-- Every task outside the tail with what the audit says of it; the evidence is that of the tier it is assigned to.
SELECT
    t.task_id,
    t.name,
    t.recognisers,
    t.calls,
    a.tier,
    a.model,
    a.verdict,
    coalesce(a.cost_now_usd_month - a.cost_then_usd_month, 0)::DECIMAL(18, 9) AS savings_usd_month,
    v.n,
    v.agreement,
    v.agreement_low,
    v.margin
FROM tasks t
LEFT JOIN assignments a ON a.task_id = t.task_id AND a.audit_id = $audit_id
LEFT JOIN verdicts v ON v.task_id = t.task_id AND v.audit_id = $audit_id AND v.tier = a.tier
WHERE NOT t.is_tail
ORDER BY savings_usd_month DESC, t.calls DESC, t.task_id
