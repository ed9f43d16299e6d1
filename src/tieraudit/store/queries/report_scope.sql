-- What was audited and what was left out. A failed call without a cost is not unpriced: it cost nothing.
SELECT
    count(*) AS calls,
    count(*) FILTER (WHERE error_type IS NOT NULL) AS failed_calls,
    count(*) FILTER (WHERE error_type IS NULL AND cost_usd IS NULL) AS unpriced_calls,
    count(*) FILTER (WHERE logged_cost_usd IS NOT NULL) AS logged_costs,
    count(*) FILTER (WHERE logged_cost_usd IS NULL AND computed_cost_usd IS NOT NULL) AS computed_costs,
    coalesce(avg(CAST(content_state = 'full' AS INTEGER)), 0) AS content_share,
    (SELECT coalesce(sum(rows_quarantined), 0) FROM ingests) AS quarantined_rows,
    (SELECT coalesce(sum(rows_duplicate), 0) FROM ingests) AS duplicate_rows
FROM calls
