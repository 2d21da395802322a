#!/usr/bin/env python3
"""Writes the GPU table of benchmarks/README.md from benchmarks/<device>-<job>.json.

  scripts/gpu_table.py            puts the table between the two marks of README.md (adds them at its end)
  scripts/gpu_table.py --print    prints it only
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import json
import pathlib
import sys

from gpu_jobs import ATOM, JOBS, REPLICAS, ROOT, WITHIN

BEGIN, END = "<!-- gpu table: written by scripts/gpu_table.py -->", "<!-- end of gpu table -->"
HEAD = ("| job | atoms | measured | bar | | share of the limit | force error rms, max, eV/Å | bytes/atom "
        "| takes longest |", "|---|---|---|---|---|---|---|---|---|")
BESIDE = "pppm_hidden"  # a stage that runs beside others


def results_of(folder):
    """{device: {job: result}}, of the jobs that there are."""
    found = {}
    for job in JOBS:
        for path in sorted(folder.glob(f"*-{job.name}.json")):
            device = path.name[: -len(f"-{job.name}.json")]
            found.setdefault(device, {})[job.name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def bar_of(job, results):
    """The bar, or None: that of replicas is a multiple of what a million atoms take."""
    if job.name != "replicas-64-mixed":
        return job.bar
    whole = results.get("water-1m-mixed", {}).get("value")
    return WITHIN * whole if whole else None


def figure(value, unit):
    return f"{value / 1e6:.1f} M atoms" if unit == "atoms" else f"{value:.3g} {unit}"


def longest_stage(bench):
    """The stage that takes most of a step, with its share."""
    stages = {name: ms for name, ms in bench.get("stages", {}).items() if name != BESIDE}
    total = sum(stages.values())
    if total <= 0:
        return ""
    name = max(stages, key=stages.get)
    return f"{name}, {100 * stages[name] / total:.0f} %"


def row(job, result, results):
    bench, bar = result.get("bench"), bar_of(job, results)
    shown_bar = "" if bar is None else ("≥ " if job.unit == "atoms" else "≤ ") + figure(bar, job.unit)
    if not bench:
        return f"| {job.title} | | {result['status']} | {shown_bar} | | | | | |"
    value = result["value"]
    kept = None if bar is None else (value >= bar if job.unit == "atoms" else value <= bar)
    verdict = {None: "", True: "kept", False: "**missed**"}[kept]
    share = f"{100 * job.limit / value:.0f} %" if job.limit and job.unit != "atoms" else ""
    error = ""
    if "force_error_rms" in bench:
        error = f"{bench['force_error_rms']:.1e}, {bench['force_error_max']:.1e}"
    memory = bench.get("device_memory_bytes")
    per_atom = f"{memory / bench['atoms']:,.0f}" if memory else ""
    cells = (job.title, f"{bench['atoms']:,}", figure(value, job.unit), shown_bar, verdict, share, error,
             per_atom, longest_stage(bench))
    return "| " + " | ".join(cells) + " |"


def section(device, results):
    gpu = next((result["gpu"] for result in results.values() if result.get("gpu")), {})
    words = ", ".join(gpu[key] for key in ("name", "memory") if key in gpu) or device
    driver = f", driver {gpu['driver']}" if "driver" in gpu else ""
    lines = [f"{words}{driver}:", "", *HEAD]
    lines += [row(job, results[job.name], results) for job in JOBS if job.name in results]
    return lines


def table(folder):
    """The text between the marks."""
    found = results_of(folder)
    if not found:
        return "No GPU has been measured yet; `scripts/gpu-check` on a machine that has one fills this in."
    blocks = ["\n".join(section(device, results)) for device, results in found.items()]
    blocks.append("The limit is the time the arithmetic of a step takes at the device's peak (for 564 atoms: "
                  f"launch gaps). The bar of {REPLICAS} replicas is {WITHIN} times the {ATOM} of a million\n"
                  "atoms. Results: `<device>-<job>.json`, each with its command and all stages.")
    return "\n\n".join(blocks)


def put(readme, text):
    """README.md with the table between its marks."""
    block = f"{BEGIN}\n\n{text}\n\n{END}"
    if BEGIN in readme and END in readme:
        head, rest = readme.split(BEGIN, 1)
        return head + block + rest.split(END, 1)[1]
    head = "## How fast is it on a GPU?\n\n```\nscripts/gpu-check\n```"
    return readme.rstrip("\n") + f"\n\n{head}\n\n{block}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "benchmarks")
    parser.add_argument("--print", action="store_true", help="print the table, change nothing")
    arguments = parser.parse_args()
    text = table(arguments.folder)
    if arguments.print:
        print(text)
        return 0
    readme = arguments.folder / "README.md"
    readme.write_text(put(readme.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
