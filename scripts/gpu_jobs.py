#!/usr/bin/env python3
"""The benchmarks of the GPU: what each runs, its bar and its limit; runs them and writes the results.

  scripts/gpu_jobs.py --nanoday build-gpu/nanoday --device h200 --seconds 240   all, within 240 s
  scripts/gpu_jobs.py --nanoday … --device h200 --only water-1m-mixed           one
  scripts/gpu_jobs.py --list                                                    the commands, nothing is run

Each job leaves benchmarks/<device>-<job>.json; scripts/gpu_table.py makes the table of benchmarks/README.md
from these files. A job that the program refuses (an option it does not know) is "not built": no failure.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
REFUSAL = re.compile(r"argument was not expected|not in this build|does not drive|not (yet )?(built|there)")


@dataclasses.dataclass(frozen=True)
class Job:
    """One row of the table. Figures of bar and limit are in `unit`."""
    name: str
    title: str
    model: str
    structure: str
    copies: tuple
    precision: str
    steps: int
    unit: str  # "us/step/atom", "ms/step", "us/solve" or "atoms"
    bar: float
    limit: float = None  # the time the arithmetic alone takes at peak; None: not counted
    options: tuple = ()
    seconds: int = 60  # it is stopped after that

    def command(self, program, file):
        copies = () if self.copies == (1, 1, 1) else ("--replicate", *map(str, self.copies))
        inputs = EXAMPLES / f"models/{self.model}.pb", EXAMPLES / f"structures/{self.structure}.data"
        return [str(program), "bench", *map(str, inputs), *copies, "--device", "cuda", "--precision",
                self.precision, "--steps", str(self.steps), *self.options, "--json", str(file)]


WATER, COPPER, DPLR = ("water", "water192"), ("copper", "copper256"), ("water-dplr", "water188")
ATOM = "us/step/atom"
MESH_36 = ("--solver", "pppm", "--mesh", "36", "36", "36", "--order", "5")
MESH_32 = ("--solver", "pppm", "--mesh", "32", "32", "32", "--order", "5", "--diff", "ik", "--solver-only")
ONE = (1, 1, 1)
REPLICAS, WITHIN = 64, 1.5  # the bar of replicas: so many times the figure of a million atoms
JOBS = (
    Job("dplr-564-mixed", "DPLR water, mixed", *DPLR, ONE, "mixed", 2000, "ms/step", 0.15, 0.08, MESH_36, 30),
    Job("pppm-32", "PPPM 32³, 4 transforms, spread and gather", *DPLR, ONE, "mixed", 2000, "us/solve", 40,
        None, MESH_32, 30),
    Job("water-1m-fast", "water DP, fast", *WATER, (17, 17, 18), "fast", 200, ATOM, 0.015, 0.004),
    Job("water-1m-mixed", "water DP, mixed", *WATER, (17, 17, 18), "mixed", 200, ATOM, 0.025, 0.008),
    Job("water-1m-double", "water DP, double", *WATER, (17, 17, 18), "double", 200, ATOM, 0.06, 0.022),
    Job("copper-1m-mixed", "copper DP, mixed", *COPPER, (15, 16, 16), "mixed", 200, ATOM, 0.02, 0.006),
    Job("copper-1m-double", "copper DP, double", *COPPER, (15, 16, 16), "double", 200, ATOM, 0.05, 0.016),
    Job("replicas-64-mixed", "64 replicas of 192 atoms of water, mixed", *WATER, ONE, "mixed", 500, ATOM, 0,
        None, ("--replicas", str(REPLICAS)), 30),
    Job("dplr-403k-mixed", "DPLR water, mixed", *DPLR, (8, 9, 10), "mixed", 200, "ms/step", 20, None, (), 90),
    Job("water-largest", "largest water DP system, mixed", *WATER, (80, 81, 81), "mixed", 20, "atoms", 100e6,
        None, (), 180),
)


def value_of(job, bench):
    """The figure a job is judged by, from the program's JSON."""
    if job.unit == ATOM:
        return 1e6 / bench["atom_steps_per_s"]
    if job.unit == "us/solve":
        return 1e3 * bench.get("ms_per_solve", bench["ms_per_step"])
    return float(bench["atoms"]) if job.unit == "atoms" else bench["ms_per_step"]


def run_job(job, program, seconds):
    """(status, result of the program or None, words): status is ok, not built, failed or out of time."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "bench.json"
        try:
            done = subprocess.run(job.command(program, file), capture_output=True, text=True, check=False,
                                  timeout=seconds)
        except subprocess.TimeoutExpired:
            return "out of time", None, f"stopped after {seconds:.0f} s"
        words = " ".join(done.stderr.split())[-400:]
        if done.returncode == 2 and REFUSAL.search(words):
            return "not built", None, words
        if done.returncode != 0:
            return "failed", None, f"ended with {done.returncode}: {words}"
        bench = json.loads(file.read_text(encoding="utf-8"))
    return "ok", bench, words


def described(job, status, bench, words, gpu):
    """What the job's file holds."""
    command = [str(part).replace(f"{ROOT}/", "") for part in job.command("nanoday", "bench.json")]
    result = {"job": job.name, "status": status, "command": " ".join(command), "gpu": gpu, "unit": job.unit,
              "bar": job.bar, "limit": job.limit}
    if bench:
        result |= {"value": value_of(job, bench), "bench": bench}
    elif words:
        result["words"] = words.replace(f"{ROOT}/", "")
    return result


def gpu_words():
    """Name, memory and driver of the first GPU, as nvidia-smi says them; nothing without it."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader", "-i", "0"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if done.returncode != 0:
        return {}
    return dict(zip(("name", "memory", "driver"), (word.strip() for word in done.stdout.strip().split(","))))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nanoday", type=pathlib.Path, default=ROOT / "build/nanoday")
    parser.add_argument("--device", help="name of the GPU in file names, such as h200")
    parser.add_argument("--seconds", type=float, default=1e9, help="for all jobs together")
    parser.add_argument("--only", nargs="+", choices=[job.name for job in JOBS])
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "benchmarks")
    parser.add_argument("--list", action="store_true", help="print the commands and end")
    arguments = parser.parse_args()
    jobs = [job for job in JOBS if not arguments.only or job.name in arguments.only]
    if arguments.list:
        for job in jobs:
            print(" ".join(job.command(arguments.nanoday, f"{job.name}.json")))
        return 0
    if not arguments.device:
        parser.error("--device is missing (it names the files)")
    end, failed, gpu = time.monotonic() + arguments.seconds, 0, gpu_words()
    for job in jobs:
        seconds = min(job.seconds, end - time.monotonic())
        status, bench, words = "out of time", None, "no time was left to start it"
        if seconds > 5:
            status, bench, words = run_job(job, arguments.nanoday, seconds)
        result = described(job, status, bench, words, gpu)
        figure = f"{result['value']:.4g} {job.unit} (bar {job.bar:g})" if bench else result.get("words", "")
        print(f"{job.name:<18} {status:<12} {figure}", flush=True)
        failed += status in ("failed", "out of time")
        file = arguments.out / f"{arguments.device}-{job.name}.json"
        # A job that could not run does not wipe out what an earlier call measured.
        if bench or not file.exists():
            file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
