#!/usr/bin/env python3
"""Compiles every header alone, to show that it includes what it uses. Exit 1 when one does not compile."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys


# Needs CUDA's own headers, which most machines do not have.
LEFT_OUT = {"cuda/cuda_check.hpp"}


def headers(root):
    for top in ("src", "comm", "cuda", "arm"):
        for header in sorted((root / top).rglob("*.hpp")):
            if str(header.relative_to(root)) not in LEFT_OUT:
                yield header


def compile_alone(header, compiler, flags):
    """Compiler output when the header does not compile, else ""."""
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-psabi", *flags,
               "-x", "c++", "-"]
    # Included rather than compiled itself: "#pragma once in main file" is no fault of the header.
    text = f'#include "{header}"\n'
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return result.stderr if result.returncode else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--flag", action="append", default=[], help="for the compiler, as in --flag=-Isrc")
    arguments = parser.parse_args()
    files = list(headers(arguments.root))
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        outputs = list(pool.map(lambda h: compile_alone(h, arguments.compiler, arguments.flag), files))
    failed = [(header, output) for header, output in zip(files, outputs) if output]
    for header, output in failed:
        print(f"{header.relative_to(arguments.root)} does not compile alone:\n{output}")
    print(f"{len(files)} headers, {len(failed)} problems")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
