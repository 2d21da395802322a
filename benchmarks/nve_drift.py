#!/usr/bin/env python3
# Measures how well nanoday conserves energy: drift in double and mixed, and its fluctuation against the step.
# SPDX-License-Identifier: Apache-2.0
import argparse
import math
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from machine import EXAMPLES, columns, finished_run, machine, write_json

BOUND = 0.01       # meV/atom/ps that |drift| has to stay below
ROW_SPACING = 1.0  # fs between the rows of thermo.csv: several per OH vibration (9 fs)


def line_fit(x, y):
    """Slope of the least-squares line, its formal standard error, and the rms distance of y from the line."""
    n, x_mean, y_mean = len(x), math.fsum(x) / len(x), math.fsum(y) / len(y)
    spread = math.fsum((a - x_mean) ** 2 for a in x)
    slope = math.fsum((a - x_mean) * (b - y_mean) for a, b in zip(x, y)) / spread
    rest = math.fsum((b - y_mean - slope * (a - x_mean)) ** 2 for a, b in zip(x, y))
    return slope, math.sqrt(rest / (n - 2) / spread), math.sqrt(rest / n)


def conserve(options, precision, dt, time, folder):
    """One NVE run of `time` ps with steps of `dt` fs; drift and fluctuation of its total energy per atom."""
    out = Path(folder) / f"{precision}-{dt:g}fs-{time:g}ps"
    every = max(1, round(ROW_SPACING / dt))
    finished_run(options.nanoday, out, options.model, options.structure, "--nve", "--temperature", options.kelvin,
                 "--dt", f"{dt}fs", "--time", f"{time}ps", "--precision", precision,
                 "--thermo-every", every, "--every", 0, "--seed", options.seed)
    thermo = columns(out / "thermo.csv")
    per_atom = 1e3 / options.atoms
    drift, error, rms = line_fit(thermo["time[ps]"], [energy * per_atom for energy in thermo["total[eV]"]])
    mean_kelvin = math.fsum(thermo["temperature[K]"]) / len(thermo["temperature[K]"])
    result = {"precision": precision, "dt_fs": dt, "time_ps": time, "rows": len(thermo["time[ps]"]),
              "drift_mev_per_atom_ps": drift, "drift_formal_error": error,
              "rms_fluctuation_mev_per_atom": rms, "mean_temperature_K": mean_kelvin}
    print(f"{precision:7s} dt {dt:5.3f} fs {time:5.1f} ps   drift {drift:+.5f} ± {error:.5f} meV/atom/ps   "
          f"rms fluctuation {rms:.6f} meV/atom   {mean_kelvin:.1f} K", flush=True)
    return result


def arguments():
    parser = argparse.ArgumentParser(description="energy drift of NVE runs, and its fluctuation against dt")
    parser.add_argument("--nanoday", default="build/nanoday", help="the program [build/nanoday]")
    parser.add_argument("--model", default=EXAMPLES / "models/water.pb")
    parser.add_argument("--structure", default=EXAMPLES / "structures/water192.data")
    parser.add_argument("--atoms", type=int, default=192, help="atoms of the structure [192]")
    parser.add_argument("--kelvin", type=float, default=330, help="of the initial velocities [330]")
    parser.add_argument("--precision", nargs="+", default=["double", "mixed"])
    parser.add_argument("--dt", type=float, default=0.25, help="step of the drift runs, fs [0.25]")
    parser.add_argument("--time", type=float, default=20, help="length of the drift runs, ps [20]")
    parser.add_argument("--ratio-dt", type=float, nargs="*", default=[1.0, 0.5, 0.25],
                        help="steps whose fluctuations are compared, fs, each half the one before")
    parser.add_argument("--ratio-time", type=float, default=5, help="length of those runs, ps [5]")
    parser.add_argument("--work", type=Path, help="folder that keeps all runs [a temporary one]")
    parser.add_argument("--seed", type=int, default=1, help="of the initial velocities [1]")
    parser.add_argument("--out", default="nve_drift.json")
    return parser.parse_args()


def main():
    options = arguments()
    jobs = [(precision, options.dt, options.time) for precision in options.precision]
    jobs += [(options.precision[0], dt, options.ratio_time) for dt in options.ratio_dt]
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(machine()["cores"]) as pool:
        runs = list(pool.map(lambda job: conserve(options, *job, options.work or scratch), jobs))
    drifts, scans = runs[:len(options.precision)], runs[len(options.precision):]
    ratios = []
    for coarse, fine in zip(scans, scans[1:]):
        ratio = coarse["rms_fluctuation_mev_per_atom"] / fine["rms_fluctuation_mev_per_atom"]
        ratios.append({"dt_fs": [coarse["dt_fs"], fine["dt_fs"]], "ratio_of_rms_fluctuations": ratio})
        print(f"dt {coarse['dt_fs']} -> {fine['dt_fs']} fs: rms fluctuation falls by {ratio:.3f}, 4 expected")
    kept = all(abs(run["drift_mev_per_atom_ps"]) < BOUND for run in drifts)
    print(f"|drift| < {BOUND} meV/atom/ps in every drift run: {'yes' if kept else 'NO'}")
    write_json(options.out, {"machine": machine(), "structure": Path(options.structure).name,
                             "model": Path(options.model).name, "seed": options.seed,
                             "kelvin": options.kelvin, "bound": BOUND,
                             "bound_kept": kept, "drift_runs": drifts, "step_runs": scans,
                             "step_ratios": ratios})
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
