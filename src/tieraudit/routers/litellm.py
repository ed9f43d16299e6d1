"""LiteLLM proxy: a config.yaml, and a hook that chooses the model group of each call by routes.json.

The content of prompts is matched in the hook, because LiteLLM itself only matches tags and headers, and its tag
filtering answers 401 to a tagged call wherever one deployment carries no tags. Fallbacks are looked up by the
name that the caller used, so every alias has an entry of its own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tieraudit.config import Engine
from tieraudit.domain import JsonObject
from tieraudit.routers.base import Check, Route, RoutingPlan
from tieraudit.routers.document import ROUTES, RUNTIME, routes_document, routes_json, runtime_text
from tieraudit.routers.litellm_models import group, groups_of, incumbent_params, public_models, tier_params
from tieraudit.routers.trial import example_checks, routes_checks

CONFIG = "config.yaml"
HOOK = "tieraudit_hook.py"
HANDLER = "tieraudit_hook.handler"
ENVIRONMENT = "os.environ/"
# Not 3: LiteLLM takes its own default for "not set", and then a group of one deployment never rests.
ALLOWED_FAILS = 5
HEADER = """\
# LiteLLM proxy with the routes of a tieraudit audit. Needs litellm[proxy]; tried with 1.106.2.
# Keep {files} beside this file, then:
#   export LITELLM_MASTER_KEY=sk-$(openssl rand -hex 32)
{exports}\
#   litellm --config config.yaml --host 127.0.0.1 --port 4000
# Callers change nothing: a call that asks for a model they use today is moved by the hook when its task is proven.
# A caller can also name its task: metadata {{"tags": ["task/..."]}}, or "task/..." in place of the model.
# To switch the routes off: "enabled": false in routes.json (at once), or TIERAUDIT_OFF=1 (at the next start).
# In a config you already have: add the tieraudit-* groups, the aliases and fallbacks, and the callback.
"""


class LiteLLMRouter:
    """For callers behind a LiteLLM proxy. Without one, `portable` needs no server."""

    name = "litellm"
    title = "LiteLLM proxy config.yaml with a hook that knows the tasks by their prompts"

    def files(self, plan: RoutingPlan) -> dict[str, str]:
        """The config, the hook, the decision file that the hook asks, and the rules."""
        groups: dict[str, JsonObject] = {tier.name: {"model": group(tier, plan)} for tier in plan.candidates}
        config = self.config(plan)
        return {
            CONFIG: _header(config) + yaml.safe_dump(config, sort_keys=False, width=120),
            HOOK: runtime_text(HOOK),
            RUNTIME: runtime_text(RUNTIME),
            ROUTES: routes_json(routes_document(plan, groups)),
        }

    def config(self, plan: RoutingPlan) -> JsonObject:
        """The config as data."""
        models = [_entry(group(tier, plan), tier_params(tier, plan), _prices(tier)) for tier in plan.candidates]
        for provider, model in public_models(plan):
            models.append(_entry(model, incumbent_params(provider, model, plan.tiers[-1]), {}))
        return {
            "model_list": models,
            "router_settings": {
                "model_group_alias": {route.tag: _alias(route, plan) for route in plan.routes if _alias(route, plan)},
                "fallbacks": _fallbacks(plan),
                "num_retries": 2,
                "allowed_fails": ALLOWED_FAILS,
                "cooldown_time": 30,
            },
            "litellm_settings": {"callbacks": [HANDLER], "drop_params": True, "telemetry": False},
            "general_settings": {"master_key": f"{ENVIRONMENT}LITELLM_MASTER_KEY"},
        }

    def check(self, plan: RoutingPlan, folder: Path) -> list[Check]:
        """The config parses, every name in it leads somewhere, no key is in it, and each example reaches its tier."""
        models = groups_of(plan)
        checks = [*_config_checks(folder), *routes_checks(plan, folder, models)]
        return [*checks, *example_checks(plan, folder, models)]


def _entry(name: str, params: JsonObject, info: JsonObject) -> JsonObject:
    entry: JsonObject = {"model_name": name, "litellm_params": params}
    return {**entry, "model_info": info} if info else entry


def _prices(tier: Engine) -> JsonObject:
    """The user's own prices per token, so that LiteLLM's spend log agrees with the report."""
    rates = {"input_cost_per_token": tier.input_usd_per_mtok, "output_cost_per_token": tier.output_usd_per_mtok}
    return {name: float(rate / 1_000_000) for name, rate in rates.items() if rate is not None}


def _alias(route: Route, plan: RoutingPlan) -> str | None:
    """What a task's own name leads to when the hook is absent: its tier, or the model that served it in the log."""
    if route.tier is not None:
        return groups_of(plan)[route.tier]
    return next(iter(route.models), None)


def _fallbacks(plan: RoutingPlan) -> list[dict[str, list[str]]]:
    groups = groups_of(plan)
    names = list(groups)
    incumbents = [model for _, model in public_models(plan)[:1]]
    entries = {groups[tier]: [groups[up] for up in names[at + 1 :]] + incumbents for at, tier in enumerate(names)}
    for route in plan.routes:
        if route.tier is not None:
            above = [groups[tier] for tier in route.fallback_tiers]
            entries[route.tag] = above + (list(route.models[:1]) or incumbents)
    return [{name: targets} for name, targets in entries.items() if targets]


def _header(config: JsonObject) -> str:
    text = yaml.safe_dump(config["model_list"], width=10_000)
    names = sorted(set(re.findall(rf"{ENVIRONMENT}([A-Za-z_][A-Za-z0-9_]*)", text)))
    exports = "".join(f"#   export {name}={_hint(name)}\n" for name in names)
    return HEADER.format(files=", ".join((HOOK, RUNTIME, ROUTES)), exports=exports)


def _hint(variable: str) -> str:
    return "http://HOST:PORT/v1" if variable.endswith("_BASE") else "..."


def _config_checks(folder: Path) -> list[Check]:
    try:
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        known = {entry["model_name"] for entry in config["model_list"]}
        settings = config["router_settings"]
        aliases: dict[str, str] = settings["model_group_alias"]
        fallbacks = [(name, target) for entry in settings["fallbacks"] for name, to in entry.items() for target in to]
        module, _, attribute = str(config["litellm_settings"]["callbacks"][0]).rpartition(".")
        hook = (folder / f"{module}.py").read_text(encoding="utf-8")
        compile(hook, HOOK, "exec")
    except (OSError, KeyError, TypeError, IndexError, SyntaxError, yaml.YAMLError) as error:
        return [Check(f"{CONFIG} loads", "yes", f"{type(error).__name__}: {error}")]
    callable_names = known | set(aliases)
    nowhere = [f"{name} -> {target}" for name, target in fallbacks if target not in known or name not in callable_names]
    lost = [f"{name} -> {target}" for name, target in aliases.items() if target not in known]
    covered = {name for name, _ in fallbacks}
    groups = {name for name in known if name.startswith("tieraudit-")}
    moved = {name for name, target in aliases.items() if target in groups}
    return [
        Check(f"{CONFIG} loads", "yes", "yes"),
        Check("every fallback leads to a model", "none lost", ", ".join(nowhere) or "none lost"),
        Check("every alias leads to a model", "none lost", ", ".join(lost) or "none lost"),
        Check(
            "every tier and moved task has a fallback", "all", ", ".join(sorted((groups | moved) - covered)) or "all"
        ),
        Check("the callback is in the hook file", "yes", "yes" if f"\n{attribute} = " in hook else "no"),
        Check("no key is written", "none", ", ".join(_literal_keys(config)) or "none"),
    ]


def _literal_keys(config: dict[str, Any]) -> list[str]:
    params = [(entry["model_name"], entry["litellm_params"].get("api_key", "none")) for entry in config["model_list"]]
    return [name for name, key in params if key != "none" and not str(key).startswith(ENVIRONMENT)]
