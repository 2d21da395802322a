#!/usr/bin/env python3
"""Weak scaling in instructions: 192 atoms of water per rank, ranks as threads, counted under valgrind.

    python3 benchmarks/rank_scaling.py [--build build] [--out benchmarks/rank_scaling.json]

Two runs of different length per number of ranks; their difference is what the steps in between cost, setting up
and list builds apart (lists are built every 50 steps, none of the counted steps builds one)."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import pathlib
import re
import subprocess

SHORT, LONG = 2, 12


def count(program, ranks, steps):
    """Instructions of a run, and what it printed."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program),
                           str(ranks), str(steps)], capture_output=True, text=True, check=True)
    collected = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    return int(collected.group(1)), json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--out", default="benchmarks/rank_scaling.json")
    arguments = parser.parse_args()
    program = pathlib.Path(arguments.build) / "nanoday_rank_scaling"
    rows = []
    for ranks in (1, 2, 4, 8):
        short, _ = count(program, ranks, SHORT)
        long, system = count(program, ranks, LONG)
        per_atom = (long - short) / (LONG - SHORT) / system["atoms"]
        rows.append({"ranks": ranks, **system, "instructions_per_atom_step": round(per_atom)})
        print(f"{ranks} ranks, {system['atoms']} atoms: {per_atom:,.0f} instructions per atom and step, "
              f"at most {system['most_atoms']} atoms and {system['most_ghosts']} ghosts on a rank", flush=True)
    command = "python3 benchmarks/rank_scaling.py"
    pathlib.Path(arguments.out).write_text(json.dumps({"command": command, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
