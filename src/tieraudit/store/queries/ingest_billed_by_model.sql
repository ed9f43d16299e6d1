-- The bill of the whole days that the log covers, beside what the log says of the same days and provider.
WITH days AS (
    SELECT min(started_at::DATE) AS first_day, max(started_at::DATE) AS last_day FROM calls
),
bills AS (
    SELECT
        provider, source_format, sum(cost_usd)::DECIMAL(18, 9) AS billed_usd, sum(input_tokens) AS billed_input_tokens,
        sum(output_tokens) AS billed_output_tokens, sum(calls) AS billed_calls, min(started_at) AS billed_from,
        max(ended_at) AS billed_to
    FROM billed, days
    WHERE started_at::DATE >= first_day AND started_at::DATE <= last_day
    GROUP BY ALL
)
SELECT
    bills.*,
    count(calls.call_id) AS logged_calls,
    sum(calls.cost_usd)::DECIMAL(18, 9) AS logged_usd,
    sum(calls.input_tokens) AS logged_input_tokens,
    sum(calls.output_tokens) AS logged_output_tokens
FROM bills
LEFT JOIN calls
    ON (calls.provider = bills.provider OR bills.provider = 'openrouter')
    AND calls.started_at >= bills.billed_from
    AND calls.started_at < bills.billed_to
GROUP BY ALL
ORDER BY bills.provider, bills.source_format
