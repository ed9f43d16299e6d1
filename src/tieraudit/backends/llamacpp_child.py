"""Runs llama.cpp's own HTTP server in a process of its own, so that its talk and its crashes stay out of ours.

Run by path (`llamacpp` does), never imported.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import xllamacpp

TOKENS_PER_SLOT = 4096
PROMPT_CACHE_MIB = 1024


def main() -> None:
    """Serve the model named in the JSON argument until a signal ends the process."""
    settings = json.loads(sys.argv[1])
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["alias"]}
    params.port = settings["port"]
    params.api_keys = [os.environ.pop(settings["key_variable"])]
    # llama.cpp's own choice is one thread a physical core: half of a small virtual machine.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    params.n_parallel = settings["slots"]
    params.n_ctx = TOKENS_PER_SLOT * settings["slots"]
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ui = False
    # Held until the end: the server stops when the object goes.
    server = xllamacpp.Server(params)
    print(f"serving on {server.listening_address}", file=sys.stderr)  # noqa: T201
    signal.pause()


if __name__ == "__main__":
    main()
