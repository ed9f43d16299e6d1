-- The stored answer to a request, if there is one.
SELECT output FROM replies WHERE request_key = $request_key AND error_type IS NULL LIMIT 1
