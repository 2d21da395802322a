#!/usr/bin/env python3
"""Weak scaling in instructions, and ranks against threads in time.

    python3 benchmarks/rank_scaling.py [--build build] [--out benchmarks/rank_scaling.json] [--only times|counts]

Times: water, 1,536 atoms, `nanoday bench` with 1 rank of 2 threads, 2 ranks of 1 thread and 1 rank of 1 thread in
turn, three rounds, medians. Needs two free cores.
Counts: 192 atoms of water per rank, ranks as threads, instructions under valgrind. Two runs of different length per number of ranks; their difference is what the steps in between cost, setting up
and list builds apart (lists are built every 50 steps, none of the counted steps builds one)."""
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import pathlib
import os
import re
import statistics
import subprocess
import tempfile

SHORT, LONG = 1, 3


def count(program, ranks, steps):
    """Instructions of a run, and what it printed."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program),
                           str(ranks), str(steps)], capture_output=True, text=True, check=True)
    collected = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    return int(collected.group(1)), json.loads(done.stdout)


def counts(program):
    rows = []
    for ranks in (1, 2, 4, 8):
        short, _ = count(program, ranks, SHORT)
        long, system = count(program, ranks, LONG)
        per_atom = (long - short) / (LONG - SHORT) / system["atoms"]
        rows.append({"ranks": ranks, **system, "instructions_per_atom_step": round(per_atom)})
        print(f"{ranks} ranks, {system['atoms']} atoms: {per_atom:,.0f} instructions per atom and step, "
              f"at most {system['most_atoms']} atoms and {system['most_ghosts']} ghosts on a rank", flush=True)
    return rows


def time_step(program, ranks, threads):
    """ms per step of 1,536 atoms of water."""
    examples = pathlib.Path(__file__).resolve().parent.parent / "examples"
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OMPI_ALLOW_RUN_AS_ROOT": "1",
                                "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run(["mpirun", "--bind-to", "none", "-n", str(ranks), str(program), "bench",
                        str(examples / "models/water.pb"), str(examples / "structures/water192.data"),
                        "--replicate", "2", "2", "2", "--steps", "100", "--json", out.name],
                       env=environment, stdout=subprocess.DEVNULL, check=True)
        return json.loads(pathlib.Path(out.name).read_text())["ms_per_step"]


def times(program):
    layouts = [(1, 2), (2, 1), (1, 1)]
    seen = {layout: [] for layout in layouts}
    for _ in range(3):
        for layout in layouts:
            seen[layout].append(time_step(program, *layout))
    rows = [{"ranks": r, "threads": t, "ms_per_step": round(statistics.median(seen[r, t]), 3),
             "rounds": [round(x, 3) for x in seen[r, t]]} for r, t in layouts]
    for row in rows:
        print(f"{row['ranks']} ranks of {row['threads']} threads: {row['ms_per_step']} ms/step {row['rounds']}")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--out", default="benchmarks/rank_scaling.json")
    parser.add_argument("--only", choices=("times", "counts"))
    arguments = parser.parse_args()
    out = pathlib.Path(arguments.out)
    result = json.loads(out.read_text()) if out.exists() else {}
    result["command"] = "python3 benchmarks/rank_scaling.py"
    if arguments.only != "counts":
        result["times"] = times(pathlib.Path(arguments.build) / "nanoday")
    if arguments.only != "times":
        result["counts"] = counts(pathlib.Path(arguments.build) / "nanoday_rank_scaling")
    out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
