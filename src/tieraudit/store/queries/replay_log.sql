-- What the log holds, as the identity of an audit: other calls make another audit.
SELECT count(*) AS calls, min(call_id)::VARCHAR AS first_id, max(call_id)::VARCHAR AS last_id
FROM calls
