"""Log formats in: one file a format, one line in this table."""

from tieraudit.formats.base import Format
from tieraudit.registry import Registry

FORMATS: Registry[Format] = Registry(
    "formats",
    {
        "litellm": "tieraudit.formats.litellm_payload:LiteLLMPayload",
        "litellm-spend": "tieraudit.formats.litellm_spend:LiteLLMSpendLogs",
        "langfuse-trace": "tieraudit.formats.langfuse_trace:LangfuseTrace",
        "langfuse-observations": "tieraudit.formats.langfuse_observations:LangfuseObservations",
        "langfuse-scores": "tieraudit.formats.langfuse_scores:LangfuseScores",
        "otlp": "tieraudit.formats.otlp:OpenTelemetry",
        "mlflow": "tieraudit.formats.mlflow:MLflow",
        "langsmith": "tieraudit.formats.langsmith:LangSmith",
        "braintrust": "tieraudit.formats.braintrust:Braintrust",
        "weave": "tieraudit.formats.weave:Weave",
        "databricks": "tieraudit.formats.databricks:Databricks",
        "openai-pairs": "tieraudit.formats.openai_pairs:OpenAIPairs",
        "openai-batch": "tieraudit.formats.openai_batch:OpenAIBatch",
        "anthropic-batch": "tieraudit.formats.anthropic_batch:AnthropicBatch",
        "anthropic-pairs": "tieraudit.formats.anthropic_pairs:AnthropicPairs",
        "gemini-pairs": "tieraudit.formats.gemini_pairs:GeminiPairs",
        "bedrock": "tieraudit.formats.bedrock:BedrockInvocations",
        "bedrock-pairs": "tieraudit.formats.bedrock_pairs:BedrockPairs",
        "vertex": "tieraudit.formats.vertex:VertexLog",
        "azure-diagnostics": "tieraudit.formats.azure_diagnostics:AzureDiagnostics",
        "azure-apim": "tieraudit.formats.azure_apim:AzureApim",
        "cloudflare": "tieraudit.formats.cloudflare:CloudflareGateway",
        "helicone": "tieraudit.formats.helicone:Helicone",
        "kong": "tieraudit.formats.kong:KongGateway",
        "portkey": "tieraudit.formats.portkey:Portkey",
        "openrouter": "tieraudit.formats.openrouter:OpenRouterActivity",
        "anthropic-console": "tieraudit.formats.aggregates:AnthropicConsole",
        "openai-usage": "tieraudit.formats.aggregates:OpenAIUsage",
        "openrouter-daily": "tieraudit.formats.aggregates:OpenRouterDaily",
    },
)

__all__ = ["FORMATS", "Format"]
