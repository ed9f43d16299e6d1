SELECT seed, plan FROM audits WHERE audit_id = $audit_id
