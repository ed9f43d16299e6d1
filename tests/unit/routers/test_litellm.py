"""The LiteLLM config: every model is reached the right way, every name leads somewhere, and the checks see when not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fixtures.routing import FRONTIER, MID, SMALL, routing_plan

from tieraudit.config import Engine
from tieraudit.domain import JsonObject
from tieraudit.routers.litellm import LiteLLMRouter
from tieraudit.routers.litellm_models import incumbent_params, slug_of

ROUTER = LiteLLMRouter()


def entry(config: JsonObject, name: str) -> JsonObject:
    return next(each for each in config["model_list"] if each["model_name"] == name)


def config_of(**changes: Any) -> JsonObject:
    config: JsonObject = yaml.safe_load(ROUTER.files(routing_plan(**changes))["config.yaml"])
    return config


def test_a_tier_that_we_start_ourselves_is_found_through_the_environment() -> None:
    params = entry(config_of(), "tieraudit-small")["litellm_params"]
    assert params["model"] == "hosted_vllm/Qwen/Qwen3.5-9B"
    assert params["api_base"] == "os.environ/TIERAUDIT_SMALL_BASE"
    assert params["api_key"] == "none"


def test_a_tier_with_an_address_is_found_there_with_its_key_in_the_environment() -> None:
    found = entry(config_of(), "tieraudit-mid")
    assert found["litellm_params"]["model"] == "openai/gpt-5-mini"
    assert found["litellm_params"]["api_base"] == "https://api.openai.com/v1"
    assert found["litellm_params"]["api_key"] == "os.environ/OPENAI_API_KEY"
    assert found["model_info"] == {"input_cost_per_token": 2.5e-07, "output_cost_per_token": 2e-06}


def test_the_header_names_every_variable_that_has_to_be_set() -> None:
    text = ROUTER.files(routing_plan())["config.yaml"]
    header = text[: text.index("model_list:")]
    for name in ("TIERAUDIT_SMALL_BASE=http://HOST:PORT/v1", "OPENAI_API_KEY=...", "ANTHROPIC_API_KEY=..."):
        assert f"#   export {name}\n" in header


def test_callers_go_on_calling_their_models_by_name() -> None:
    config = config_of()
    assert entry(config, "gpt-5")["litellm_params"]["model"] == "openai/gpt-5"
    assert entry(config, "claude-sonnet-4-5")["litellm_params"]["model"] == "anthropic/claude-sonnet-4-5"
    pairs = (("openai", "gpt-5"), ("azure", "gpt-5"))
    names = [each["model_name"] for each in config_of(incumbent_models=pairs)["model_list"]]
    assert names.count("gpt-5") == 1


def test_an_incumbent_never_rests_and_a_failing_tier_is_not_asked_twice() -> None:
    config = config_of()
    assert entry(config, "gpt-5")["litellm_params"]["cooldown_time"] == 0
    assert entry(config, "tieraudit-small")["litellm_params"]["num_retries"] == 0


def test_fallbacks_go_up_and_each_alias_has_its_own() -> None:
    fallbacks = {name: to for each in config_of()["router_settings"]["fallbacks"] for name, to in each.items()}
    assert fallbacks == {
        "tieraudit-small": ["tieraudit-mid", "gpt-5"],
        "tieraudit-mid": ["gpt-5"],
        "task/order-numbers": ["tieraudit-mid", "gpt-5"],
        "task/ticket-labels": ["gpt-5"],
    }


def test_nothing_is_sent_home_and_no_key_is_in_the_file() -> None:
    config = config_of()
    assert config["litellm_settings"]["telemetry"] is False
    assert config["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"


@pytest.mark.parametrize(
    ("provider", "model", "base_url", "expected"),
    [
        ("openai", "gpt-5", "https://api.openai.com/v1", "openai/gpt-5"),
        ("openai", "openai/gpt-5", "https://api.openai.com/v1", "openai/gpt-5"),
        ("", "my-model", "https://api.openai.com/v1", "openai/my-model"),
        ("google", "gemini-3-pro", "https://api.openai.com/v1", "gemini/gemini-3-pro"),
        ("aws.bedrock", "us.anthropic.x", "https://api.openai.com/v1", "bedrock/us.anthropic.x"),
        ("Anthropic", "anthropic/claude-x", "https://api.openai.com/v1", "anthropic/claude-x"),
        ("anthropic", "claude-x", "https://gateway.example/v1", "openai/claude-x"),
    ],
)
def test_an_incumbent_is_reached_through(provider: str, model: str, base_url: str, expected: str) -> None:
    params = incumbent_params(provider, model, replace(FRONTIER, base_url=base_url))
    assert params["model"] == expected
    assert ("api_base" in params) is expected.startswith("openai/")


def test_an_incumbent_of_our_own_is_found_through_the_environment() -> None:
    params = incumbent_params("", "big", Engine("frontier", "vllm"))
    assert (params["model"], params["api_base"]) == ("hosted_vllm/big", "os.environ/TIERAUDIT_INCUMBENT_BASE")


def test_tiers_whose_names_come_out_alike_have_groups_of_their_own() -> None:
    tiers = (replace(SMALL, name="Tiny!"), replace(SMALL, name="tiny"), replace(MID, name="大"), FRONTIER)
    config = config_of(tiers=tiers, routes=())
    groups = [each["model_name"] for each in config["model_list"][:3]]
    assert groups == ["tieraudit-tiny-1", "tieraudit-tiny-2", "tieraudit-3"]
    bases = [each["litellm_params"]["api_base"] for each in config["model_list"][:2]]
    assert bases == ["os.environ/TIERAUDIT_TINY_1_BASE", "os.environ/TIERAUDIT_TINY_2_BASE"]


@pytest.mark.parametrize("text", ["A b", "Ärger/…", "--", "x" * 5])
def test_a_slug_has_plain_letters(text: str) -> None:
    assert set(slug_of(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def _rename(config: JsonObject) -> None:
    entry(config, "gpt-5")["model_name"] = "gpt-other"


def _lose_alias(config: JsonObject) -> None:
    config["router_settings"]["model_group_alias"]["task/order-numbers"] = "nowhere"


def _lose_fallback(config: JsonObject) -> None:
    config["router_settings"]["fallbacks"] = config["router_settings"]["fallbacks"][:2]


def _lose_hook(config: JsonObject) -> None:
    config["litellm_settings"]["callbacks"] = ["tieraudit_hook.handle"]


def _write_key(config: JsonObject) -> None:
    entry(config, "gpt-5")["litellm_params"]["api_key"] = "sk-live"


def _drop_section(config: JsonObject) -> None:
    del config["router_settings"]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (_rename, "every fallback leads to a model"),
        (_lose_alias, "every alias leads to a model"),
        (_lose_fallback, "every tier and moved task has a fallback"),
        (_lose_hook, "the callback is in the hook file"),
        (_write_key, "no key is written"),
        (_drop_section, "config.yaml loads"),
    ],
)
def test_the_checks_see_a_config_that_does_not_hold(
    tmp_path: Path, change: Callable[[JsonObject], None], check: str
) -> None:
    plan = routing_plan(examples=())
    for name, text in ROUTER.files(plan).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    config = yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8"))
    change(config)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert check in [found.name for found in ROUTER.check(plan, tmp_path) if not found.ok]


def test_a_price_of_nothing_is_a_price() -> None:
    free = replace(MID, input_usd_per_mtok=Decimal(0), output_usd_per_mtok=None)
    found = entry(config_of(tiers=(SMALL, free, FRONTIER)), "tieraudit-mid")
    assert found["model_info"] == {"input_cost_per_token": 0.0}
