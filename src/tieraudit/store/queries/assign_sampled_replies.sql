-- The replayed calls of each task and tier, each call once: its cost in the log, and what prices the candidate's reply.
-- Only the agreement gate draws uniformly, and it draws conversations: a call stands for the calls of its conversation.
WITH drawn AS (
    SELECT DISTINCT ON (task_id, tier, call_id) task_id, tier, call_id, case_id, stage, draw
    FROM cases
    WHERE audit_id = $audit_id AND gate = 'agreement'
    ORDER BY task_id, tier, call_id, stage, draw
),

conversations AS (
    SELECT call_tasks.task_id, calls.conversation_id, count(*) AS calls
    FROM call_tasks
    JOIN calls USING (call_id)
    WHERE calls.conversation_id IS NOT NULL
        AND calls.content_state = 'full'
        AND calls.error_type IS NULL
        AND calls.operation = 'chat'
    GROUP BY ALL
),

answered AS (
    SELECT DISTINCT ON (request_key)
        request_key, audit_id, input_tokens, output_tokens, latency_ms, cost_usd, error_type
    FROM replies
    ORDER BY request_key, error_type IS NOT NULL, created_at DESC
)

SELECT
    drawn.task_id,
    drawn.tier,
    calls.cost_usd AS now_usd,
    coalesce(conversations.calls, 1) AS weight,
    answered.audit_id AS paid_by,
    answered.input_tokens,
    answered.output_tokens,
    answered.latency_ms,
    answered.cost_usd AS billed_usd,
    answered.error_type
FROM drawn
JOIN calls USING (call_id)
JOIN case_replies ON case_replies.case_id = drawn.case_id AND case_replies.role = 'candidate' AND case_replies.trial = 0
JOIN answered USING (request_key)
LEFT JOIN conversations
    ON conversations.task_id = drawn.task_id AND conversations.conversation_id = calls.conversation_id
WHERE calls.cost_usd IS NOT NULL
ORDER BY drawn.task_id, drawn.tier, drawn.stage, drawn.draw, drawn.call_id
