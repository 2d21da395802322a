#!/usr/bin/env python3
"""Checks the size and the frame of every source file. Exit 1 when one is too long or lacks its header."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

MAX_LINES = 500
MAX_COLUMNS = 110
LICENSE = "SPDX-License-Identifier: Apache-2.0"
TOPS = ("src", "comm", "cuda", "arm", "tests", "scripts", "examples")
CXX = (".hpp", ".cpp", ".cu", ".cuh")
OTHER = (".py", ".sh")


def is_script(path):
    """Scripts without a suffix begin with #!."""
    return path.suffix == "" and path.read_bytes()[:2] == b"#!"


def source_files(root):
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            hidden = any(part.startswith((".", "__")) for part in path.relative_to(root).parts)
            if path.is_file() and not hidden and (path.suffix in CXX + OTHER or is_script(path)):
                yield path


def problems_of(path):
    """(line number, what is wrong) for one file."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield len(lines), f"{len(lines)} lines, at most {MAX_LINES}: split the file"
    if path.suffix in CXX and not lines[0].startswith("// "):
        yield 1, "the first line says in one sentence what the file is"
    head = 2 if path.suffix in CXX else 14
    if not any(LICENSE in line for line in lines[:head]):
        yield 1, f"the header lacks '{LICENSE}'"
    if path.suffix in (".hpp", ".cuh") and "#pragma once" not in lines[:4]:
        yield 1, "the header lacks #pragma once below the license"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield len(lines), "the file ends with exactly one newline"
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            yield number, f"{len(line)} columns, at most {MAX_COLUMNS}"
        if line != line.rstrip():
            yield number, "spaces at the end of the line"
        if "\t" in line and path.suffix in CXX:
            yield number, "a tab"


def main(root):
    root = pathlib.Path(root).resolve()
    files = list(source_files(root))
    problems = [f"{p.relative_to(root)}:{n}: {text}" for p in files for n, text in problems_of(p)]
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent))
