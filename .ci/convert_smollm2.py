"""Write a GGUF file as a model folder that vLLM reads: safetensors, config and a tokenizer with its chat template.

usage: convert_smollm2.py MODEL.gguf FOLDER

The only SmolLM2 that a package ships is a GGUF, and vLLM reads that format through an add-on at best. The
folder appears under its final name only when it is complete, so an interrupted run never leaves half a model.
"""

import os
import shutil
import sys
from pathlib import Path

# Everything is in the one file: a look at the hub could only hang, or fetch something else.
os.environ["HF_HUB_OFFLINE"] = "1"
# The install script prints one line; a progress bar of 272 tensors is not part of it.
os.environ["TQDM_DISABLE"] = "1"

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def main() -> None:
    """Convert the file named on the command line."""
    source, target = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    if not tokenizer.chat_template:
        sys.exit(f"{source.name} holds no chat template: vLLM would refuse every chat request")
    # dequantize: packed GGUF weights cannot be saved again. bfloat16 is what the model was trained in.
    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


if __name__ == "__main__":
    main()
