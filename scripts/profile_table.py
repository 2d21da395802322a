#!/usr/bin/env python3
"""Prints a profile as a table per stage and per kernel; scripts/profile calls it.

  profile_table.py nsys KERNELS.csv [RANGES.csv]    reports cuda_gpu_kern_sum and nvtx_sum of nsys stats
  profile_table.py ncu RAW.csv                      ncu --csv --page raw
  profile_table.py events BENCH.json                nanoday bench --json
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import collections
import csv
import json
import pathlib
import re
import sys

# Stage -> names of kernels, the first match counts. Stages are the words of src/core/timer.hpp.
STAGES = (
    ("neighbor", r"Radix|DeviceScan|DeviceReduce|Morton|Cell|Slot|Search|Candidates|SortSegments|FindBounds"
                 r"|Gather<|Deal|Wrap|Fractions|FillRows"),
    ("halo", r"Ghost"),
    ("pppm", r"Spread|Influence|Convert|GatherForces|GatherEnergies|GatherVirials|StructureFactors"
             r"|EvaluateCharges|fft|FFT|vector_|regular_"),
    ("environment", r"Environment"),
    ("gradient", r"Backward|_back"),
    ("descriptor", r"Descriptor|Features"),
    ("fitting", r"Dense|RowEnergies|RowDipoles|gemm|cutlass"),
    ("force_sum", r"FinishForces|ClearSums|ClearExact|JudgePass|ComeHome"),
    ("integrate", r"Kick|Drift|Scale|Ornstein|Bath|Heat|Watch|CountStep|Kinetic|SumByReplica|Terms"),
    ("wannier", r"MarkSites|PlaceCharges"),
)
TIME_UNITS = {"ns": 1e-6, "nsecond": 1e-6, "us": 1e-3, "usecond": 1e-3, "ms": 1, "msecond": 1, "s": 1e3,
              "second": 1e3}  # [ms]
SHOWN = 30  # kernels


def kernel_name(name):
    """DescriptorForward<float> of "void nanoday::cuda::run<nanoday::cuda::DescriptorForward<float>>(T1)"."""
    name = re.sub(r"\(anonymous namespace\)::|<unnamed>::|nanoday::cuda::|^void ", "", name)
    wrapped = re.match(r"run(?:_bounded)?<(.*)>\s*\(", name)
    return (wrapped[1] if wrapped else re.sub(r"\(.*", "", name)).strip()


def stage_of(name):
    return next((stage for stage, pattern in STAGES if re.search(pattern, name)), "other")


def csv_rows(path):
    """Rows as dicts; lines before the header (what the profiled program printed) are skipped."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    begin = next((i for i, line in enumerate(lines) if re.match(r'"?(ID|Time \(%\))"?,', line)), None)
    return [] if begin is None else list(csv.DictReader(lines[begin:]))


def number(text):
    try:
        return float(text.replace(",", ""))
    except (AttributeError, ValueError):
        return 0.0


class Kernels:
    """Launches, time [ms] and, where known, shares of peak per kernel."""

    def __init__(self):
        self.calls, self.ms = collections.Counter(), collections.Counter()
        self.shares = collections.defaultdict(lambda: [0.0, 0.0])  # multiprocessors, memory: weighted by time

    def add(self, name, calls, ms, shares=None):
        self.calls[name] += calls
        self.ms[name] += ms
        for k, share in enumerate(shares or ()):
            self.shares[name][k] += share * ms

    def print(self):
        total = sum(self.ms.values())
        if not total > 0:
            raise SystemExit("the report holds no kernels (did the program use the GPU?)")
        stages, calls = collections.Counter(), collections.Counter()
        for name, ms in self.ms.items():
            stages[stage_of(name)] += ms
            calls[stage_of(name)] += self.calls[name]
        print(f"{'stage':<14} {'kernels':>9} {'ms':>12} {'share':>7}")
        for stage, ms in stages.most_common():
            print(f"{stage:<14} {calls[stage]:>9} {ms:>12.3f} {100 * ms / total:>5.1f} %")
        print(f"{'all':<14} {sum(calls.values()):>9} {total:>12.3f}\n")
        head = f"{'kernel':<52} {'launches':>9} {'us each':>10} {'share':>7}"
        print(head + ("   SM busy   memory busy" if self.shares else ""))
        for name, ms in self.ms.most_common(SHOWN):
            shares = self.shares[name] if name in self.shares and ms > 0 else ()
            busy = "".join(f"   {share / ms:>5.1f} %" for share in shares)
            print(f"{name[:52]:<52} {self.calls[name]:>9} {1e3 * ms / self.calls[name]:>10.2f} "
                  f"{100 * ms / total:>5.1f} %{busy}")


def from_nsys(path, ranges):
    kernels = Kernels()
    for row in csv_rows(path):
        ms = 1e-6 * number(row["Total Time (ns)"])
        kernels.add(kernel_name(row["Name"]), int(number(row["Instances"])), ms)
    kernels.print()
    rows = csv_rows(ranges) if ranges and ranges.exists() else []
    if rows:
        print(f"\n{'range (host time)':<30} {'times':>9} {'ms':>12}")
        for row in rows:
            print(f"{row['Range'].lstrip(':'):<30} {int(number(row['Instances'])):>9} "
                  f"{1e-6 * number(row['Total Time (ns)']):>12.3f}")


def from_ncu(path):
    rows, kernels = csv_rows(path), Kernels()
    if not rows:
        raise SystemExit(f"{path} holds no table of ncu")
    columns = {key: next((c for c in rows[0] if c and c.startswith(start)), None)
               for key, start in (("ms", "gpu__time_dur"), ("sm", "sm__throughput"), ("dram", "gpu__dram"))}
    unit = TIME_UNITS.get(rows[0][columns["ms"]], 1e-6)  # the first row holds units
    for row in rows[1:]:
        shares = [number(row.get(columns[key])) for key in ("sm", "dram") if columns[key]]
        kernels.add(kernel_name(row["Kernel Name"]), 1, unit * number(row[columns["ms"]]), shares)
    kernels.print()


def from_events(path):
    bench = json.loads(path.read_text(encoding="utf-8"))
    step, stages = bench["ms_per_step"], bench.get("stages", {})
    precision = bench.get("precision", "")
    print(f"{bench['atoms']:,} atoms, {precision}: {step:.4f} ms/step by the program's own timers")
    print(f"{'stage':<14} {'ms/step':>12} {'share':>7}")
    for name, ms in sorted(stages.items(), key=lambda item: -item[1]):
        if ms > 0:
            print(f"{name:<14} {ms:>12.4f} {100 * ms / step:>5.1f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("nsys", "ncu", "events"))
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("ranges", type=pathlib.Path, nargs="?")
    arguments = parser.parse_args()
    if arguments.kind == "nsys":
        from_nsys(arguments.report, arguments.ranges)
    elif arguments.kind == "ncu":
        from_ncu(arguments.report)
    else:
        from_events(arguments.report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
