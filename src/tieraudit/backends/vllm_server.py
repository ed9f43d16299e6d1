"""Engine `vllm`: `vllm serve MODEL` on loopback, started and stopped by us. vLLM is a process, never an import."""

from __future__ import annotations

import os
import shutil

from tieraudit.backends.base import Say, silent
from tieraudit.backends.own_server import OwnServerBackend
from tieraudit.backends.server_process import Cure, ServerPlan
from tieraudit.config import Engine
from tieraudit.errors import EngineFailed

PYTHON_VARIABLE = "TIERAUDIT_VLLM_PYTHON"
START_WITHIN_S = 3600.0
"""Long, because a first start downloads the model; a server that ends is noticed at once."""

ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}
"""Nothing leaves the machine except replays: vLLM's own usage report is off."""

MODEL_HINT = "check model in tieraudit.toml: a Hugging Face name or a local folder; a gated model needs HF_TOKEN"
MEMORY_HINT = (
    "take a smaller or quantised model, free the GPU, or lower what it asks for: "
    'args = ["--max-model-len", "4096", "--gpu-memory-utilization", "0.5"]'
)
CURES = (
    Cure("unrecognized arguments", "an argument is unknown to this version", "check args in tieraudit.toml"),
    Cure("error: argument", "an argument is wrong", "check args in tieraudit.toml"),
    Cure("outofmemoryerror", "not enough GPU memory", MEMORY_HINT),
    Cure("out of memory", "not enough GPU memory", MEMORY_HINT),
    Cure("no available memory for the cache", "not enough GPU memory for the cache", MEMORY_HINT),
    Cure("is less than desired", "not enough free memory", MEMORY_HINT),
    Cure("larger than the available kv cache memory", "not enough memory for the model's full context", MEMORY_HINT),
    Cure("is not a valid model identifier", "the model was not found", MODEL_HINT),
    Cure("repository not found", "the model was not found", MODEL_HINT),
    Cure("repo id must", "the model was not found", MODEL_HINT),
    Cure("does not appear to have a file named config.json", "the folder holds no model", MODEL_HINT),
    Cure("gated repo", "the model needs a permission", MODEL_HINT),
    Cure("invalid repository id or local directory", "the model was not found", MODEL_HINT),
    Cure(
        "couldn't connect to 'https://huggingface.co", "the model is not here and could not be downloaded", MODEL_HINT
    ),
    Cure("greater than the derived max_model_len", "--max-model-len is more than the model takes", "check args"),
    Cure("failed to infer device type", "no GPU was found", "run on a machine with a GPU, or name a base_url"),
    Cure("no module named vllm", "vLLM is not installed there", f"point {PYTHON_VARIABLE} at the Python that has it"),
)


class VLLMFactory:
    """A model of your own on your own GPU; for a server that already runs use engine `openai` with its base_url."""

    name = "vllm"

    def open(self, engine: Engine, *, say: Say = silent) -> OwnServerBackend:
        """A backend that starts `vllm serve` for ``engine.model`` with ``engine.args`` when entered."""
        return OwnServerBackend(engine, lambda port, key: plan(engine, port, key), text_only=False, say=say)


def plan(engine: Engine, port: int, key: str) -> ServerPlan:
    """The command for ``engine``; raises `EngineFailed` when vLLM is not on this machine."""
    model = engine.model or ""
    options = ["--host", "127.0.0.1", "--port", str(port), *engine.args]
    python = os.environ.get(PYTHON_VARIABLE)
    found = shutil.which("vllm")
    if python:
        command = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", model, *options]
    elif found:
        command = [found, "serve", model, *options]
    else:
        raise EngineFailed(
            f"tier '{engine.name}': vLLM is not installed here",
            hint="pip install 'tieraudit[gpu]', or use engine = \"openai\" with the base_url of a server that runs",
        )
    environment = {**ENVIRONMENT, "VLLM_API_KEY": key}
    return ServerPlan("vllm", command, port, environment, START_WITHIN_S, CURES)
