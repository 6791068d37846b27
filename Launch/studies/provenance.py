"""What a run's results depend on beside its options: files, program, machine and commit."""
from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra


def digest(path: Path) -> str:
    """The first 16 digits of the SHA-256 of a file."""
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha256.update(block)
    return sha256.hexdigest()[:16]


def machine() -> str:
    """The processor's name, family and model numbers, and OpenBLAS's kernels, on which float32 bytes depend."""
    text = Path("/proc/cpuinfo").read_text()
    values = dict(re.findall(r"^(model name|cpu family|model)[ \t]*: (.*)$", text, re.MULTILINE))
    name, family, model = (values.get(key, "unknown") for key in ("model name", "cpu family", "model"))
    kernels = re.search(r"kernels (\S+)", electra.output("--version"))
    return f"{name}, family {family}, model {model}, kernels {kernels[1] if kernels else 'unknown'}"


def commit() -> str:
    """The commit of the repository of this file; `unknown` outside of one."""
    command = ["git", "-C", electra.LAUNCH, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return result.stdout.strip() or "unknown"
