"""How LiteLLM reaches each model: a tier of the config, or a model that callers already ask for."""

from __future__ import annotations

import re

from tieraudit.config import Engine
from tieraudit.domain import JsonObject
from tieraudit.routers.base import RoutingPlan

OPENAI = "https://api.openai.com/"
# Providers that LiteLLM reaches by itself: its prefix, and the parameters that it reads from the environment.
# Source: the provider pages of docs.litellm.ai and litellm.provider_list of 1.106.2.
NATIVE: dict[str, tuple[str, dict[str, str]]] = {
    "anthropic": ("anthropic", {"api_key": "ANTHROPIC_API_KEY"}),
    "azure": (
        "azure",
        {"api_base": "AZURE_API_BASE", "api_key": "AZURE_API_KEY", "api_version": "AZURE_API_VERSION"},
    ),
    "bedrock": ("bedrock", {"aws_region_name": "AWS_REGION_NAME"}),
    "cohere": ("cohere_chat", {"api_key": "COHERE_API_KEY"}),
    "deepseek": ("deepseek", {"api_key": "DEEPSEEK_API_KEY"}),
    "fireworks_ai": ("fireworks_ai", {"api_key": "FIREWORKS_API_KEY"}),
    "gemini": ("gemini", {"api_key": "GEMINI_API_KEY"}),
    "groq": ("groq", {"api_key": "GROQ_API_KEY"}),
    "mistral": ("mistral", {"api_key": "MISTRAL_API_KEY"}),
    "openrouter": ("openrouter", {"api_key": "OPENROUTER_API_KEY"}),
    "together_ai": ("together_ai", {"api_key": "TOGETHERAI_API_KEY"}),
    "vertex_ai": ("vertex_ai", {"vertex_project": "VERTEX_PROJECT", "vertex_location": "VERTEX_LOCATION"}),
    "xai": ("xai", {"api_key": "XAI_API_KEY"}),
}
OTHER_NAMES = {
    "aws": "bedrock",
    "aws.bedrock": "bedrock",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "fireworks": "fireworks_ai",
    "gcp.gemini": "gemini",
    "gcp.vertex_ai": "vertex_ai",
    "google": "gemini",
    "mistral_ai": "mistral",
    "together": "together_ai",
    "x-ai": "xai",
    "x_ai": "xai",
}


def slug_of(text: str) -> str:
    """``text`` in the letters [a-z0-9-] alone."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def groups_of(plan: RoutingPlan) -> dict[str, str]:
    """Candidate tier -> the name of its model group."""
    return {tier.name: group(tier, plan) for tier in plan.candidates}


def group(tier: Engine, plan: RoutingPlan) -> str:
    """The model group of a tier; two tiers whose names come out alike are told apart by their place."""
    slugs = [slug_of(each.name) for each in plan.candidates]
    slug = slug_of(tier.name)
    place = "" if slug and slugs.count(slug) == 1 else str(plan.candidates.index(tier) + 1)
    return "-".join(part for part in ("tieraudit", slug, place) if part)


def public_models(plan: RoutingPlan) -> list[tuple[str, str]]:
    """The (provider, model) pairs under whose own name callers go on calling; one entry a name, most used first."""
    kept: dict[str, str] = {}
    for provider, model in plan.incumbent_models:
        kept.setdefault(model, provider)
    return [(provider, model) for model, provider in kept.items()]


def tier_params(tier: Engine, plan: RoutingPlan) -> JsonObject:
    """A candidate tier. One that we start ourselves has no address yet, so LiteLLM reads it from the environment."""
    variable = f"{group(tier, plan)}-base".upper().replace("-", "_")
    return {**_served(tier, str(tier.model), variable), "timeout": tier.timeout_s, "num_retries": 0}


def incumbent_params(provider: str, model: str, incumbent: Engine) -> JsonObject:
    """A model that callers ask for today: through the incumbent's endpoint of the config, which serves them all.

    The exception is OpenAI's own address, which serves nobody else's models: those go to their provider. It never
    rests after failures: its callers have no other model to fall back on, and had no such pause before.
    """
    known = OTHER_NAMES.get(provider.lower(), provider.lower())
    if known in NATIVE and (incumbent.base_url or OPENAI).startswith(OPENAI):
        prefix, variables = NATIVE[known]
        read = {parameter: f"os.environ/{variable}" for parameter, variable in variables.items()}
        return {"model": f"{prefix}/{_bare(model, prefix)}", **read, "cooldown_time": 0}
    return {**_served(incumbent, _bare(model, "openai"), "TIERAUDIT_INCUMBENT_BASE"), "cooldown_time": 0}


def _served(engine: Engine, model: str, variable: str) -> JsonObject:
    hosted = engine.engine == "openai" and engine.base_url
    return {
        "model": f"{'openai' if hosted else 'hosted_vllm'}/{model}",
        "api_base": engine.base_url or f"os.environ/{variable}",
        "api_key": f"os.environ/{engine.api_key_env}" if engine.api_key_env else "none",
    }


def _bare(model: str, prefix: str) -> str:
    return model.removeprefix(f"{prefix}/")
