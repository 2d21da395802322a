#!/usr/bin/env python3
"""Compares the GPU with the CPU on the shipped models, and two runs of the GPU bit by bit.

  scripts/gpu_agreement.py --nanoday build-gpu/nanoday

The difference is the root mean square of CPU minus GPU over that of the CPU's numbers, for every quantity of
every frame. Exit 1 when one is above its bound, when a run differs from its repetition, or the program fails.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import dataclasses
import json
import math
import pathlib
import subprocess
import sys
import tempfile

from gpu_jobs import EXAMPLES, REFUSAL

KEYS = ("energy", "forces", "virial", "atom_energy", "dipoles")


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    model: str
    structure: str
    options: tuple
    bound: float


# Fifth-order tables are the same double arithmetic on both, in another order. Low-rank plans multiply
# products that carry little in single precision, and mixed nets are single: their bounds are that rounding's.
CASES = (
    Case("water, fifth-order tables", "water", "water192", ("--table", "quintic"), 1e-12),
    Case("copper, fifth-order tables", "copper", "copper256", ("--table", "quintic"), 1e-12),
    Case("DPLR, fifth-order tables, mesh", "water-dplr", "water188",
         ("--table", "quintic", "--solver", "pppm", "--mesh", "36", "36", "36"), 1e-12),
    Case("DPLR, fifth-order tables, direct sum", "water-dplr", "water188",
         ("--table", "quintic", "--solver", "direct"), 1e-12),
    Case("dipoles, fifth-order tables", "water-dw", "water188", ("--table", "quintic"), 1e-12),
    Case("water, low rank", "water", "water192", ("--table", "lowrank"), 1e-7),
    Case("water, low rank, mixed", "water", "water192",
         ("--table", "lowrank", "--precision", "mixed"), 1e-5),
    Case("copper, low rank, mixed", "copper", "copper256",
         ("--table", "lowrank", "--precision", "mixed"), 1e-5),
)
STEPS = 100
REPEATED = (
    ("water", "water192", ("--precision", "double")),
    ("water", "water192", ("--precision", "mixed", "--nvt", "330")),
    ("water-dplr", "water188", ("--precision", "mixed",)),
)


def flat(value):
    """All numbers of nested lists."""
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield float(value)


def difference(found, expected):
    """Root mean square of the difference over that of `expected`; infinite for NaN or another length."""
    a, b = list(flat(found)), list(flat(expected))
    if len(a) != len(b):
        return math.inf
    square, scale = sum((x - y) ** 2 for x, y in zip(a, b)), sum(y * y for y in b)
    if not math.isfinite(square) or not math.isfinite(scale):
        return math.inf
    return math.sqrt(square / scale) if scale > 0 else math.sqrt(square)


def largest_difference(found, expected):
    """(difference, key) of the worst quantity of all frames."""
    worst = (0.0, "")
    if len(found["frames"]) != len(expected["frames"]) or not expected["frames"]:
        return math.inf, "frames"
    for ours, theirs in zip(found["frames"], expected["frames"]):
        for key in KEYS:
            if key in theirs:
                worst = max(worst, (difference(ours.get(key, []), theirs[key]), key))
    return worst


class Refused(Exception):
    """The program does not know what it was asked for."""


def run(program, *words):
    command = [str(word) for word in (program, *words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"ended with {done.returncode}: {' '.join(done.stderr.split())[-300:]}"
        raise (Refused if done.returncode == 2 and REFUSAL.search(message) else RuntimeError)(message)


def evaluate(program, case, device, folder):
    file = pathlib.Path(folder) / f"{device}.json"
    run(program, "eval", EXAMPLES / f"models/{case.model}.pb", EXAMPLES / f"structures/{case.structure}.data",
        "--device", device, *case.options, "--json", file)
    return json.loads(file.read_text(encoding="utf-8"))


def compare(program, case, folder):
    """(fine, words) of one case."""
    worst, key = largest_difference(evaluate(program, case, "cuda", folder),
                                    evaluate(program, case, "cpu", folder))
    return worst <= case.bound, f"{worst:.1e} ({key}), bound {case.bound:.0e}"


def repeat(program, model, structure, options, folder):
    """(fine, words): two runs with the same seed write the same bytes."""
    outputs = []
    for turn in ("first", "second"):
        out = pathlib.Path(folder) / f"{turn}-{model}-{'-'.join(options).strip('-')}"
        kind = () if "--nvt" in options else ("--nve", "--temperature", "330")
        run(program, "run", EXAMPLES / f"models/{model}.pb", EXAMPLES / f"structures/{structure}.data", *kind,
            "--device", "cuda", *options, "--dt", "0.5fs", "--steps", STEPS, "--thermo-every", "10",
            "--every", "5fs", "--seed", "7", "--reproducible", "--out", out)
        outputs.append([(out / name).read_bytes() for name in ("thermo.csv", "trajectory.extxyz")])
    same = outputs[0] == outputs[1]
    return same, f"{STEPS} steps twice: {'the same bytes' if same else 'different bytes'}"


def attempt(name, check):
    """Prints the outcome of one check; true unless it failed."""
    try:
        fine, words = check()
        verdict = "fine" if fine else "FAILED"
    except Refused as refusal:
        fine, verdict, words = True, "not built", str(refusal)
    except (RuntimeError, OSError, ValueError) as error:
        fine, verdict, words = False, "FAILED", str(error)
    print(f"{verdict:<10} {name}: {words}", flush=True)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nanoday", type=pathlib.Path, required=True)
    program = parser.parse_args().nanoday
    fine = []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            fine.append(attempt(case.name, lambda c=case: compare(program, c, folder)))
        for model, structure, options in REPEATED:
            fine.append(attempt(f"{model} {' '.join(options)}, two runs",
                                lambda m=model, s=structure, o=options: repeat(program, m, s, o, folder)))
    print(f"{len(fine)} comparisons, {fine.count(False)} problems")
    return 1 if False in fine else 0


if __name__ == "__main__":
    sys.exit(main())
