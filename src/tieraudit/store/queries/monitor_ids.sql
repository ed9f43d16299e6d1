-- The ids of all chat calls.
SELECT call_id::VARCHAR AS call_id
FROM calls
WHERE operation = 'chat'
