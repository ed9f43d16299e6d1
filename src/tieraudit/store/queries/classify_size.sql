-- How much there is to learn from: calls with a prompt, their characters, and how many of them have a price.
SELECT
    (SELECT count(*) FROM calls) AS calls,
    count(*) AS prompts,
    coalesce(sum(strlen(request)), 0)::BIGINT AS characters,
    count(cost_usd) AS priced
FROM calls
WHERE request IS NOT NULL
    AND content_state IN ('full', 'no_response')
    AND operation IN ('chat', 'text_completion')
