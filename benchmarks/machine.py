# Says what the machine is, runs nanoday and writes results, for the scripts of this folder.
# SPDX-License-Identifier: Apache-2.0
import csv
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def machine():
    """The processor's name (its family and model too: some names say little), usable cores, no host name."""
    first = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        first.setdefault(key.strip(), value.strip())
    name = first.get("model name", "unknown")
    return {"cpu": f"{name}, family {first.get('cpu family', '?')}, model {first.get('model', '?')}",
            "cores": len(os.sched_getaffinity(0))}


def nanoday(program, *arguments):
    """Runs nanoday and returns what it printed; raises RuntimeError with its error text when it fails."""
    done = subprocess.run([str(word) for word in (program, *arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"nanoday failed with {done.returncode}:\n{done.stderr[-1500:]}")
    return done.stdout


def finished_run(program, folder, *arguments):
    """A run on one core with its results in `folder`; one that is already there is resumed to its end."""
    if (Path(folder) / "run.resolved.toml").exists():
        nanoday(program, "resume", folder, "--threads", 1)
    else:
        nanoday(program, "run", *arguments, "--threads", 1, "--out", folder)


def columns(path):
    """A CSV file as {heading: list of numbers}."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return {name: [float(row[k]) for row in rows[1:]] for k, name in enumerate(rows[0])}


def write_json(path, result):
    """Writes `result` indented, so that differences between two measurements can be read line by line."""
    Path(path).write_text(json.dumps(result, indent=1) + "\n")
