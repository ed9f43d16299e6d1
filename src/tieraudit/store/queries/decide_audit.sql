SELECT baseline, tiers, config, plan FROM audits WHERE audit_id = $audit_id
