"""Why a log of each format may lack content, and what to switch on: (format, content state) -> (cause, cure)."""

from __future__ import annotations

CURES = {
    ("litellm-spend", "absent"): (
        "LiteLLM's SpendLogs have no prompts unless the proxy stores them",
        "set general_settings.store_prompts_in_spend_logs: true in the proxy's config, or export StandardLoggingPayload"
        " from a callback (S3, GCS, file)",
    ),
    ("litellm-spend", "redacted"): (
        "LiteLLM cuts or masks stored prompts",
        "raise MAX_STRING_LENGTH_PROMPT_IN_DB and leave turn_off_message_logging off",
    ),
    ("litellm", "redacted"): (
        "LiteLLM masks the messages in its callbacks",
        "leave litellm_settings.turn_off_message_logging off for the weeks that you audit",
    ),
    ("langfuse-trace", "redacted"): (
        "the trace does not hold all that the model was sent (an earlier turn, tool definitions, images)",
        "trace with an integration that records the whole request, or log at the proxy",
    ),
    ("langfuse-trace", "absent"): (
        "these generations were traced without their input",
        "let the integration record inputs and outputs (capture content), and no mask function hide them",
    ),
    ("bedrock", "absent"): (
        "Bedrock delivers bodies only when it is told to, large ones in files of their own",
        "switch the delivery of text on in the settings of model invocation logging, and give the folder with `data/`",
    ),
    ("openai-batch", "absent"): (
        "the output of a batch does not hold the requests",
        "ingest the input files of the batches too, at any time",
    ),
    ("anthropic-batch", "absent"): (
        "the results of a batch do not hold the requests",
        "ingest the submitted requests too, with created_at beside them",
    ),
    ("azure-diagnostics", "absent"): (
        "Azure's diagnostic logs never hold content or tokens",
        "log bodies at API Management, or at a proxy of your own",
    ),
    ("azure-apim", "redacted"): (
        "API Management cuts bodies at the configured size, at most eight kilobytes",
        "switch on the log of language models (GatewayLlmLogs) with messages, and ingest it too",
    ),
    ("azure-apim", "absent"): (
        "API Management logs no bodies unless it is told to",
        "switch on the log of language models (GatewayLlmLogs) with messages",
    ),
    ("openai-pairs", "redacted"): (
        "a request goes on from an earlier response that only the provider stores (previous_response_id)",
        "log the conversation's items with each request",
    ),
    ("otlp", "absent"): (
        "the spans do not carry prompts: instrumentations leave content out unless they are told to record it",
        "set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true (OpenLLMetry: TRACELOOP_TRACE_CONTENT=true) and"
        " export the log records too",
    ),
    ("otlp", "redacted"): (
        "the spans do not carry the whole prompt: attributes were cut, masked, or tools and images left out",
        "raise OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT and OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, or log at the proxy",
    ),
    ("langfuse-observations", "absent"): (
        "these generations were traced or exported without their input",
        "export with input and output, and let the integration record them",
    ),
    ("langfuse-observations", "redacted"): (
        "the observations do not hold all that the model was sent (an earlier turn, tool definitions, images)",
        "trace with an integration that records the whole request, or log at the proxy",
    ),
    ("langsmith", "absent"): (
        "these runs were exported without their inputs; large ones are kept in a store apart",
        "export inputs and outputs, and leave LANGSMITH_HIDE_INPUTS off",
    ),
    ("openrouter", "absent"): (
        "OpenRouter's activity never holds content",
        "log requests and responses where they are made, or at a proxy",
    ),
    ("helicone", "absent"): (
        "the export was made without bodies",
        "export with --include-body",
    ),
    ("portkey", "absent"): (
        "the export holds no request bodies",
        "choose the columns request and response for the export",
    ),
    ("cloudflare", "absent"): (
        "the gateway's log keeps bodies apart, or encrypted",
        "fetch the logs with request and response bodies",
    ),
    ("cloudflare", "redacted"): (
        "the gateway's log holds the beginning of each body only",
        "fetch the bodies of each log, or log at a proxy of your own",
    ),
    ("kong", "absent"): (
        "Kong logs bodies only when it is told to",
        "set logging.log_payloads: true in the plugin's config",
    ),
    ("databricks", "absent"): (
        "the inference table leaves bodies out that are too large",
        "nothing to do when they are few; else log at a proxy",
    ),
    ("weave", "absent"): (
        "the export holds references in place of inputs",
        "export the calls with their references resolved",
    ),
}
