-- Forget the assignments of an audit, to write them anew.
DELETE FROM assignments WHERE audit_id = $audit_id
