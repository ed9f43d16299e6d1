"""The log formats: LiteLLM payloads and spend logs, OpenAI pairs, Langfuse traces."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Any

from sample_logs.calls import FAILURES, PRICES, SERVED, Call, uuid

Row = dict[str, Any]


def _iso(epoch: float, *, micros: bool = False) -> str:
    at = datetime.fromtimestamp(round(epoch, 3), UTC)
    return at.isoformat(timespec="microseconds") if micros else at.isoformat(timespec="milliseconds")[:-6] + "Z"


def _completion(call: Call) -> Row:
    return {
        "id": call.id,
        "object": "chat.completion",
        "created": int(call.start),
        "model": SERVED.get(call.task.model, call.task.model),
        "choices": [{"index": 0, "message": call.message, "logprobs": None, "finish_reason": call.finish_reason}],
        "usage": call.usage,
        "service_tier": "default",
        "system_fingerprint": None,
    }


def _failure(call: Call) -> tuple[int, str, str, str]:
    code, kind, word, text = FAILURES[call.failure or "server"]
    return code, kind, word, text.format(model=call.task.model)


def _breakdown(call: Call) -> Row | None:
    if call.costs is None or call.failure:
        return None
    parts = (0.0, 0.0) if call.cache_hit else call.costs
    total = round(sum(parts), 10)
    return {
        "input_cost": parts[0],
        "output_cost": parts[1],
        "total_cost": total,
        "tool_usage_cost": 0.0,
        "original_cost": total,
        "discount_percent": 0.0,
        "discount_amount": 0.0,
    }


def _key(call: Call) -> Row:
    alias = f"nordwand-{call.task.team}"
    return {
        "user_api_key_hash": sha256(alias.encode()).hexdigest(),
        "user_api_key_alias": alias,
        "user_api_key_team_id": f"team-{call.task.team}",
        "user_api_key_team_alias": call.task.team,
        "user_api_key_user_id": f"svc-{call.task.team}",
    }


def _model_map(call: Call) -> Row:
    prices = PRICES.get(call.task.model)
    value = None
    if prices:
        value = {"input_cost_per_token": prices[0] / 1e6, "output_cost_per_token": prices[2] / 1e6, "mode": "chat"}
    return {"model_map_key": SERVED.get(call.task.model, call.task.model), "model_map_value": value}


def _api_base(call: Call) -> str:
    if call.task.model not in PRICES:
        return "http://models.nordwand.example/v1/"
    return "https://api.anthropic.com/v1/messages" if call.provider == "anthropic" else "https://api.openai.com/v1/"


def _error(call: Call) -> Row:
    code, kind, _word, text = _failure(call) if call.failure else (0, "", "", "")
    return {
        "error_code": str(code) if code else "",
        "error_class": kind,
        "llm_provider": call.provider if kind else "",
        "traceback": "",
        "error_message": f"litellm.{kind}: {text}" if kind else "",
    }


def standard_payload(rng: Random, call: Call) -> Row:
    """Write a call as LiteLLM's StandardLoggingPayload."""
    failed, hit = call.failure is not None, call.cache_hit
    stream = bool(call.params.get("stream"))
    usage = None if failed else call.usage
    error = _error(call)
    return {
        "id": f"{call.id}_cache_hit{call.end}" if hit else call.id,
        "litellm_call_id": uuid(rng),
        "trace_id": call.trace_id,
        "session_id": "",
        "call_type": "acompletion",
        "cache_hit": hit or None,
        "stream": stream or None,
        "status": "failure" if failed else "success",
        "status_fields": {"llm_api_status": "failure" if failed else "success", "guardrail_status": "not_run"},
        "custom_llm_provider": call.provider,
        "saved_cache_cost": call.cost if hit else 0.0,
        "startTime": call.start,
        "endTime": call.end,
        "completionStartTime": round(call.start + call.first_token, 3) if stream and not failed else call.end,
        "response_time": call.latency,
        "model": call.task.model,
        "metadata": {**_key(call), "spend_logs_metadata": None, "requester_metadata": {}, "usage_object": usage},
        "cache_key": sha256(json.dumps(call.draft.messages).encode()).hexdigest() if hit else None,
        "response_cost": 0.0 if failed or hit else call.cost,
        "cost_breakdown": _breakdown(call),
        "total_tokens": call.prompt_tokens + call.completion_tokens,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "request_tags": list(call.task.tags),
        "end_user": None,
        "api_base": _api_base(call),
        "model_group": call.task.model,
        "model_id": sha256(call.task.model.encode()).hexdigest()[:32],
        "requester_ip_address": None,
        "user_agent": "openai-python/2.8.0",
        "messages": call.draft.messages,
        "response": {} if failed else _completion(call),
        "model_parameters": call.params,
        "hidden_params": {"litellm_model_name": f"{call.provider}/{call.task.model}", "litellm_overhead_time_ms": 4.2},
        "model_map_information": _model_map(call),
        "error_str": error["error_message"] or None,
        "error_information": error,
        "response_cost_failure_debug_info": None,
        "guardrail_information": None,
    }


def pair(rng: Random, call: Call) -> Row:
    """Write a call as a home-made log of an OpenAI request and its response."""
    code, _kind, word, text = _failure(call) if call.failure else (200, "", "", "")
    body = (
        {"error": {"message": text, "type": word, "param": None, "code": word}} if call.failure else _completion(call)
    )
    return {
        "id": f"req_{uuid(rng).replace('-', '')}",
        "timestamp": _iso(call.start),
        "trace_id": call.trace_id,
        "request": {"model": call.task.model, "messages": call.draft.messages, **call.params},
        "response": body,
        "latency_ms": round(call.latency * 1000),
        "status": code,
    }


def spend_row(rng: Random, call: Call) -> Row:
    """Write a call as a row of LiteLLM's spend logs, without the prompt, as is the default."""
    metadata = {
        "user_api_key_alias": _key(call)["user_api_key_alias"],
        "user_api_key_team_alias": call.task.team,
        "spend_logs_metadata": None,
        "additional_usage_values": {"prompt_tokens_details": call.usage["prompt_tokens_details"]},
        "usage_object": None if call.failure else call.usage,
        "error_information": _error(call) if call.failure else None,
        "cost_breakdown": _breakdown(call),
    }
    return {
        "request_id": call.id,
        "litellm_call_id": uuid(rng),
        "call_type": "acompletion",
        "api_key": _key(call)["user_api_key_hash"],
        "cache_hit": "False",
        "cache_key": "Cache OFF",
        "startTime": _iso(call.start, micros=True),
        "endTime": _iso(call.end, micros=True),
        "completionStartTime": _iso(call.end, micros=True),
        "request_duration_ms": round(call.latency * 1000),
        "model": call.task.model,
        "model_group": call.task.model,
        "model_id": "",
        "custom_llm_provider": call.provider,
        "api_base": _api_base(call),
        "user": f"svc-{call.task.team}",
        "end_user": "",
        "team_id": f"team-{call.task.team}",
        "organization_id": "",
        "metadata": json.dumps(metadata),
        "spend": 0.0 if call.failure else call.cost,
        "total_tokens": call.prompt_tokens + call.completion_tokens,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "request_tags": json.dumps(list(call.task.tags)),
        "messages": "{}",
        "response": "{}",
        "proxy_server_request": "{}",
        "session_id": call.trace_id,
        "status": "failure" if call.failure else "success",
    }
