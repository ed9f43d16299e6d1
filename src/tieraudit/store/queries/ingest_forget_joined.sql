-- Calls that were made of these keys before, and are not made of them now. A call that an audit has drawn stays.
DELETE FROM calls
WHERE source_format = $source_format
    AND call_id IN (
        SELECT call_id FROM joined_calls WHERE source_format = $source_format AND key IN (SELECT key FROM arrow_input)
    )
    AND call_id NOT IN (SELECT call_id::UUID FROM arrow_input WHERE call_id IS NOT NULL)
    AND NOT EXISTS (FROM cases WHERE cases.call_id = calls.call_id)
