#!/usr/bin/env python3
"""Compiles what uses NCCL in comm/ against NCCL's own header. Needs no GPU.

The header is that of a CUDA toolkit here ($CUDA_HOME, /usr/local/cuda); where none has it, it comes with
CUDA 12's headers from the Python package index, once (a large package).

Exit 0: it compiles without a warning; 1: it does not; 77: skipped, with the reason.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import os
import pathlib
import subprocess
import sys

import check_sm70

PACKAGES = {name: check_sm70.PACKAGES[name] for name in ("cuda_nvcc", "cuda_runtime")}
PACKAGES["nccl"] = "nvidia-nccl-cu12==2.27.7"
SOURCES = ("nccl.cpp", "nccl_exchange.cpp")


def include_folder():
    """A folder with nccl.h and the CUDA headers that it includes."""
    for home in (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"):
        folder = home and pathlib.Path(home) / "include"
        if folder and (folder / "nccl.h").exists() and (folder / "cuda_runtime.h").exists():
            return folder
    return pathlib.Path(check_sm70.toolkit(PACKAGES)) / "include"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    try:
        include = include_folder()
    except check_sm70.Skip as reason:
        print(f"skipped: {reason}")
        return check_sm70.SKIPPED
    command = [os.environ.get("CXX", "g++"), "-std=c++20", *check_sm70.WARNINGS, "-Werror", "-fsyntax-only",
               *check_sm70.include_flags(arguments.root), "-isystem", str(include),
               *(str(arguments.root / "comm" / source) for source in SOURCES)]
    print(f"NCCL of {include}", flush=True)
    done = subprocess.run(command, check=False)
    print("compiles" if done.returncode == 0 else f"one of {', '.join(SOURCES)} does not compile")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
