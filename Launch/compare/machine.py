"""This machine as the comparison with PyTorch needs it: cores, bfloat16, memory allocator.

Needs Linux, Python 3.9 and no packages.
"""
from __future__ import annotations

import ctypes.util
import os
import platform
import re
from pathlib import Path

# glibc returns large blocks to the kernel and faults them in again for every tensor. These settings
# keep the memory. With 32 x 128 tokens the faults of `small` cost about 6 % of a step.
KEEP_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776"


def _cpu_field(*names: str) -> str:
    """The first value of a field of /proc/cpuinfo with one of these names; empty without one."""
    pattern = rf"^(?:{'|'.join(names)})\s*:\s*(.*)$"
    found = re.search(pattern, Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else ""


def description() -> str:
    """Processor, number of cores that this process may use, and operating system."""
    name = _cpu_field("model name") or platform.machine()
    return f"{name}, {len(cores())} cores, {platform.system()} {platform.release()}"


def has_instructions(arithmetic: str) -> bool:
    """Whether the processor has products in this arithmetic (of AVX512-BF16, AMX, or Arm's)."""
    needed = {
        "float32": set(), "bfloat16": {"avx512_bf16", "amx_bf16", "bf16"}, "bfloat16-amx": {"amx_bf16"}}[arithmetic]
    return not needed or not needed.isdisjoint(_cpu_field("flags", "Features").split())


def arithmetic(name: str) -> str:
    """The name of arithmetic `name` in results, which says so if this processor emulates it."""
    return name if has_instructions(name) else f"{name} (emulated)"


def cores() -> list[int]:
    """One logical processor of each core that this process may use.

    Two threads on the two hardware threads of one core would be measured as two cores.
    """
    chosen: dict[str, int] = {}
    for number in sorted(os.sched_getaffinity(0)):
        topology = Path(f"/sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list")
        siblings = topology.read_text() if topology.exists() else str(number)
        chosen.setdefault(siblings, number)
    return list(chosen.values())


def keep_freed_memory() -> str:
    """Makes processes started from now on reuse freed memory; returns the allocator's name.

    This is tcmalloc where it is installed (Debian: libtcmalloc-minimal4), as PyTorch's tuning
    guide recommends, else glibc with settings. A setting of the user's is kept.
    """
    if "LD_PRELOAD" in os.environ:
        return os.environ["LD_PRELOAD"]
    for name in ("tcmalloc_minimal", "tcmalloc"):
        library = ctypes.util.find_library(name)
        if library:
            os.environ["LD_PRELOAD"] = library
            return "tcmalloc"
    os.environ.setdefault("GLIBC_TUNABLES", KEEP_MEMORY)
    return "glibc that keeps freed memory"
