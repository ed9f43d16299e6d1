"""Who answers a replay: one file an engine, one line in this table."""

from tieraudit.backends.base import Backend, BackendFactory
from tieraudit.registry import Registry

BACKENDS: Registry[BackendFactory] = Registry(
    "backends",
    {
        "openai": "tieraudit.backends.openai_api:OpenAIFactory",
        "vllm": "tieraudit.backends.vllm_server:VLLMFactory",
        "llamacpp": "tieraudit.backends.llamacpp:LlamaCppFactory",
    },
)

__all__ = ["BACKENDS", "Backend", "BackendFactory"]
