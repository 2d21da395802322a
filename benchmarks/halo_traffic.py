#!/usr/bin/env python3
# Counts messages and bytes of halos: nanoday's planned and sent ones, and those LAMMPS sends on 8 ranks.
# SPDX-License-Identifier: Apache-2.0
#
# LAMMPS moves the same atoms with a pair style that computes nothing; a small library in front of its MPI counts
# what every rank sends, and a long run less a short one gives a step.
import argparse
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from lammps_peer import run
from machine import EXAMPLES, write_json

RANKS = 8


def arguments():
    parser = argparse.ArgumentParser(description="messages and bytes of halos")
    parser.add_argument("--program", default="../build/nanoday_halo_traffic", help="nanoday_halo_traffic")
    parser.add_argument("--peer", required=True, help="Python environment with LAMMPS on MPICH")
    parser.add_argument("--out", default="halo.json")
    return parser.parse_args()


def script(steps):
    """12,288 atoms of water that do not interact, 6 A and a skin of 2 A, no list built on the way."""
    return ["units metal", "atom_style atomic", "boundary p p p",
            f"read_data {EXAMPLES / 'structures' / 'water192.data'}", "replicate 4 4 4", "mass 1 15.9994",
            "mass 2 1.00794", "pair_style zero 6.0", "pair_coeff * *", "neighbor 2.0 bin",
            "neigh_modify delay 100000 every 100000", "timestep 0.00001", "fix 1 all nve", "thermo 100000",
            f"run {steps}"]


def counter(folder):
    """The library that counts, built."""
    library = Path(folder) / "libcount_messages.so"
    source = Path(__file__).parent / "count_messages.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", source, "-o", library], check=True)
    return library


def lammps_counts(peer, steps, library, folder):
    """(messages, bytes) of all ranks in a whole run, and what LAMMPS printed."""
    os.environ["LD_PRELOAD"] = str(library)
    try:
        output = run(peer, script(steps), folder, ranks=RANKS)
    finally:
        del os.environ["LD_PRELOAD"]
    ranks = [[int(word) for word in path.read_text().split()] for path in Path(folder).glob("messages.*")]
    if len(ranks) != RANKS:
        raise RuntimeError(f"{len(ranks)} of {RANKS} ranks were counted (the counter needs LAMMPS on MPICH)")
    return [sum(column) for column in zip(*ranks)], output


def lammps(peer):
    """Per step: what a run of 60 steps sends beyond one of 10."""
    with tempfile.TemporaryDirectory() as folder:
        library = counter(folder)
        short, _ = lammps_counts(peer, 10, library, Path(folder) / "short")
        long, output = lammps_counts(peer, 60, library, Path(folder) / "long")
    messages, size = [(b - a) / 50 for a, b in zip(short, long)]
    ghosts = float(re.search(r"Nghost:\s+(\S+) ave", output)[1])
    return {"ranks": RANKS, "messages_per_rank": messages / RANKS, "bytes_per_rank": size / RANKS,
            "ghosts_per_rank": ghosts}


def main():
    given = arguments()
    subprocess.run([given.program, "--json", given.out], check=True)
    result = json.loads(Path(given.out).read_text())
    result["lammps"] = lammps(given.peer)
    write_json(given.out, result)
    peer = result["lammps"]
    print(f"LAMMPS, {RANKS} ranks: {peer['messages_per_rank']:.0f} messages and {peer['bytes_per_rank']:.0f} bytes "
          f"per step and rank, {peer['ghosts_per_rank']:.0f} ghosts per rank")
    for row in result["measured"]:
        formula = row["lammps_by_formula"]
        if row["ranks"] == RANKS:
            expected = {"messages": row["ranks_per_node"] * peer["messages_per_rank"],
                        "bytes": row["ranks_per_node"] * peer["bytes_per_rank"]}
            if any(abs(expected[key] - formula[key]) > 0.02 * expected[key] for key in expected):
                raise RuntimeError(f"LAMMPS sent {expected} and its formula says {formula}")
        if row["messages"] > 0:
            print(f"{row['route']}, {row['ranks']} ranks, nodes of {row['ranks_per_node']}: "
                  f"{formula['messages'] / row['messages']:.1f} x fewer messages, "
                  f"{formula['bytes'] / row['bytes']:.1f} x fewer bytes")


if __name__ == "__main__":
    main()
