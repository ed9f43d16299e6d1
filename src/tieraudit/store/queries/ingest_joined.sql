-- The calls of these parts are made. Where content is not to be kept, the parts are emptied; they are known by their digest.
UPDATE fragments
SET joined = true, record = CASE WHEN $forget THEN '{}' ELSE record END
WHERE NOT joined OR ($forget AND record <> '{}')
