UPDATE audits SET status = $status WHERE audit_id = $audit_id
