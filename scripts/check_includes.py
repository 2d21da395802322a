#!/usr/bin/env python3
"""Checks who includes whom: the drawing in ARCHITECTURE.md as a table. Exit 1 when a file breaks it."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import re
import sys

# Part of the tree -> parts whose headers it may include (its own always).
ALLOWED = {
    "core": set(),
    "math": {"core"},
    "model": {"core", "math"},
    "atoms": {"core"},
    "backend": {"core", "model", "atoms"},
    "oracle": {"core", "model", "atoms", "backend"},  # not math: a shared formula would hide its own error
    "cpu": {"core", "math", "model", "atoms", "backend"},
    "cuda": {"core", "math", "model", "atoms", "backend"},
    "arm": {"core", "math", "model", "atoms", "backend", "cpu"},
    "comm": {"core", "atoms", "backend"},
    "forces": {"core", "math", "model", "atoms", "backend", "comm"},
    "io": {"core", "model", "atoms"},
    "md": {"core", "math", "model", "atoms", "backend", "comm", "forces", "io"},
    "estimate": {"core", "comm"},
    "machines": {"core", "backend", "cpu", "oracle"},
    "app": {"core", "model", "atoms", "backend", "comm", "forces", "md", "io", "estimate", "machines"},
}

# Single headers that are no secret of their part.
SHARED = {
    ("cpu", "machines.hpp"),  # the options a machine is made from
    ("comm", "cpu/fft.hpp"),  # one-dimensional transforms: one planner, which takes turns, for all
    ("oracle", "math/counter_rng.hpp"),  # random numbers: machines must draw the same ones
}

CUDA_HEADERS = r"cuda.*\.h|cu(fft|blas).*\.h|nvtx.*|cub/.*|thrust/.*|mma\.h"

# Headers of libraries -> the only parts (or folders of parts) that may include them.
OWNED = {
    CUDA_HEADERS: {"cuda"},
    r"arm_sve\.h": {"arm"},
    r"immintrin\.h|x86intrin\.h": {"cpu"},
    r"omp\.h": {"cpu", "cuda/host"},
    r"cblas\.h": {"cpu"},
    r"fftw3\.h": {"cpu", "cuda/host"},
    r"boost/context/.*": {"cuda/host"},
    r"mpi\.h|nccl\.h|utofu\.h": {"comm"},
    r"CLI/.*": {"app", "md"},
    r"toml\+\+/.*": {"md"},
    r"nlohmann/.*": {"app", "model", "io"},
    r"google/protobuf/.*|.*\.pb\.h": {"model"},
}

# math/ is formulas: nothing that allocates, prints or throws.
MATH_SYSTEM = {"array", "bit", "cmath", "cstddef", "cstdint", "limits", "type_traits", "utility"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_SWITCH = re.compile(r"^\s*#\s*(if|ifdef|elif)\b.*\bNANODAY_(CUDA|SVE|MPI|NCCL|TOFU)\b")
HOST_SWITCH = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\bNANODAY_CUDA_HOST\b")

# CUDA's own words and headers inside cuda/: kernels are written without them, or the CPU could not run them.
DEVICE_WORDS = re.compile(
    r"<<<|\b(threadIdx|blockIdx|blockDim|gridDim|__shared__|__global__|__sync\w+|__shfl\w*|__ballot\w*|"
    r"__ldg|asm|atomic(Add|Max|Min|Or|And|CAS|Exch))\b")
DEVICE_FILES = {"device_block.cuh", "device_launch.cuh", "tensor_core.hpp", "cuda_check.hpp", "runtime.cu",
                "graph.cu", "primitives.cu", "fft.cu"}
EXIT = re.compile(r"\b(std::)?(exit|abort|quick_exit|_exit)\s*\(")


def folder_of(path):
    """Parts with a folder that may include more than they: its name, as in "cuda/host"; else the part's."""
    return "cuda/host" if path.parts[:2] == ("cuda", "host") else part_of(path)


def part_of(path):
    """Part of the tree a source file belongs to; None for files without rules."""
    top = path.parts[0]
    if top != "src":
        return top
    return path.parts[1] if len(path.parts) > 2 else "machines"


def target_of(name, root):
    """Part a quoted include belongs to; None when it is not ours."""
    if name == "machines.hpp":
        return "machines"
    head = name.split("/")[0]
    if "/" in name:
        return head if head in ALLOWED else None
    return "comm" if (root / "comm" / name).exists() else None


def check_device(path, line):
    """What is wrong with a line in cuda/ (or its look at NANODAY_CUDA_HOST elsewhere), or None."""
    if part_of(path) != "cuda":
        return "NANODAY_CUDA_HOST is switched only in cuda/" if HOST_SWITCH.match(line) else None
    if path.name in DEVICE_FILES and folder_of(path) == "cuda":
        return None
    match = INCLUDE.match(line)
    if match and match[1] == "<" and re.fullmatch(CUDA_HEADERS, match[2]):
        return f"<{match[2]}> is included only in {', '.join(sorted(DEVICE_FILES))}"
    word = DEVICE_WORDS.search(line.split("//")[0])
    if word and '"' not in line and folder_of(path) == "cuda":
        return f"{word[0]} stands only in {', '.join(sorted(DEVICE_FILES))}; use Block (cuda/device.hpp)"
    return None


def check_line(part, folder, line, root):
    """What is wrong with a line, or None."""
    if MACHINE_SWITCH.match(line) and part not in ("machines", "comm"):
        return "machines are switched only in src/machines.cpp (transports in comm/)"
    match = INCLUDE.match(line)
    if not match:
        return None
    quoted, name = match[1] == '"', match[2]
    for pattern, owners in OWNED.items():
        if re.fullmatch(pattern, name) and not owners & {part, folder}:
            return f"{part} may not include <{name}> (only {', '.join(sorted(owners))})"
    if not quoted:
        if part == "math" and name not in MATH_SYSTEM:
            return f"math may not include <{name}> (formulas only: no allocation, no output)"
        return None
    target = target_of(name, root)
    if target in (None, part) or target in ALLOWED[part] or (part, name) in SHARED:
        return None
    return f"{part} may not include {target} ({name})"


def check_file(path, root):
    short = path.relative_to(root)
    part, folder = part_of(short), folder_of(short)
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        problem = check_line(part, folder, line, root) or check_device(short, line)
        code = line.split("//")[0]
        ends = EXIT.search(code) and '"' not in code and path.name != "main.cpp"
        if problem is None and ends:
            problem = "only src/app/main.cpp ends the program; throw an Error"
        if problem:
            found.append(f"{short}:{number}: {problem}")
    return found


def source_files(root):
    for top in ("src", "comm", "cuda", "arm"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".hpp", ".cpp", ".cu", ".cuh"):
                yield path


def main(root):
    root = pathlib.Path(root).resolve()
    files = list(source_files(root))
    unknown = sorted({part_of(f.relative_to(root)) for f in files} - ALLOWED.keys())
    problems = [f"{part}: no rule says whom this folder may include; add one here" for part in unknown]
    for path in files:
        if part_of(path.relative_to(root)) in ALLOWED:
            problems += check_file(path, root)
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent))
