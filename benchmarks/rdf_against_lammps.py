#!/usr/bin/env python3
# Compares g(r) of water from nanoday and from LAMMPS with DeePMD-kit: NVT, one model, against the noise.
# SPDX-License-Identifier: Apache-2.0
#
# The noise of one run is taken in two ways: from independent nanoday runs that differ in the seed (how much
# g(r) of one such run scatters, slow motions included), and from the scatter of the blocks of each run.
# Needs numpy; the Python of the LAMMPS environment has it.
import argparse
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import lammps_peer
from machine import EXAMPLES, columns, finished_run, machine, write_json
from rdf_figure import draw

KELVIN, FRAME_PS, BLOCKS = 330, 0.02, 4
PAIRS = ("O-O", "O-H", "H-H")
R_RANGE = (0.8, 6.2)  # Å; below it no pair is ever found, above it half the box ends


def bath_lines(thermostat, seed):
    """LAMMPS's lines of a bath at KELVIN with the time 0.1 ps. Its Langevin thermostat gets the GJF integrator,
    which like BAOAB samples positions without an error of order dt² for stiff bonds."""
    if thermostat == "nhc":
        return [f"fix bath all nvt temp {KELVIN} {KELVIN} 0.1"]
    return [f"fix bath all langevin {KELVIN} {KELVIN} 0.1 {seed + 90000} gjf vhalf", "fix move all nve"]


def lammps_frames(options, folder, seed):
    """Positions [frames][atoms][3] counted of one LAMMPS run; one found in `folder` is used again."""
    steps = round((options.skip + options.time) / options.dt * 1e3)
    dump = folder / "frames.dump"
    if not dump.exists():
        lines = lammps_peer.header(options.structure, ["O", "H"], options.compressed)
        lines += ["neigh_modify every 10 delay 0 check yes",
                  f"velocity all create {KELVIN} {seed} mom yes rot no dist gaussian",
                  *bath_lines(options.thermostat, seed),
                  f"dump frames all custom {round(FRAME_PS / options.dt * 1e3)} frames.dump id type x y z",
                  "dump_modify frames sort id", "thermo 200", f"run {steps}"]
        lammps_peer.run(options.peer, lines, folder, ranks=options.cores)
    frames, lines = [], dump.read_text().splitlines()
    atoms = int(lines[3])
    for start in range(0, len(lines), atoms + 9):
        frames.append([line.split()[2:5] for line in lines[start + 9:start + 9 + atoms]])
    return np.array(frames[round(options.skip / FRAME_PS):], dtype=float)


def nanoday_run(options, folder, seed):
    """One run of skip + time from the snapshot, as LAMMPS does it; its folder."""
    run = folder / f"nanoday-{seed}"
    finished_run(options.nanoday, run, options.model, options.structure, "--nvt", KELVIN,
                 "--thermostat", options.thermostat, "--dt", f"{options.dt}fs",
                 "--precision", options.precision, "--seed", seed,
                 "--time", f"{options.skip + options.time}ps", "--every", f"{FRAME_PS}ps")
    return run


def extxyz_frames(path):
    """Positions of every frame [frames][atoms][3] of a nanoday trajectory."""
    lines = Path(path).read_text().splitlines()
    atoms = int(lines[0])
    return np.array([[line.split()[1:4] for line in lines[start + 2:start + 2 + atoms]]
                     for start in range(0, len(lines), atoms + 2)], dtype=float)


def histogram_g(frames, edges, oxygens, side):
    """g(r) of the three pairs [3][bins], mean over the frames of a cubic box; oxygens come first."""
    upper = np.triu(np.ones((frames.shape[1],) * 2, dtype=bool), 1)
    is_oxygen = np.arange(frames.shape[1]) < oxygens
    both = is_oxygen[:, None].astype(int) + is_oxygen[None, :]
    masks = [upper & (both == kind) for kind in (2, 1, 0)]
    counts = np.zeros((3, len(edges) - 1))
    for frame in frames:
        apart = frame[:, None] - frame[None, :]
        distance = np.sqrt(((apart - side * np.round(apart / side)) ** 2).sum(-1))
        for pair, mask in enumerate(masks):
            counts[pair] += np.histogram(distance[mask], edges)[0]
    shells = 4 / 3 * np.pi * np.diff(edges ** 3)
    pairs = np.array([mask.sum() for mask in masks])
    return counts * side ** 3 / (len(frames) * pairs[:, None] * shells)


def block_error(frames, *rest):
    """Standard error [3][bins] of g(r) from the scatter of its blocks."""
    blocks = np.array([histogram_g(block, *rest) for block in np.array_split(frames, BLOCKS)])
    return blocks.std(axis=0, ddof=1) / np.sqrt(BLOCKS)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def compare(ours, theirs, noise_ours, noise_theirs, inside):
    """Rms difference of two g(r) and what the noise lets one expect, for each pair."""
    result = {}
    for k, pair in enumerate(PAIRS):
        difference = (theirs - ours)[k, inside]
        expected = rms(np.sqrt(noise_ours ** 2 + noise_theirs ** 2)[k, inside])
        result[pair] = {"rms_difference": rms(difference), "expected_from_noise": expected,
                        "ratio": rms(difference) / expected,
                        "largest_difference": float(np.abs(difference).max())}
    return result


def measure(options, folder):
    """Runs both programs; returns everything the JSON file holds."""
    with ThreadPoolExecutor(options.cores) as pool:
        seeds = list(pool.map(lambda seed: nanoday_run(options, folder, seed), range(1, options.runs + 1)))
    tables = [columns(run / "rdf.csv") for run in seeds]
    r = np.array(tables[0]["r[A]"])
    edges = np.append(r - r[0], r[-1] + r[0])
    shape = (edges, options.oxygens, options.side)
    written = np.array([tables[0][pair] for pair in PAIRS])
    every_frame = extxyz_frames(seeds[0] / "trajectory.extxyz")
    counted = [extxyz_frames(run / "trajectory.extxyz")[round(options.skip / FRAME_PS):] for run in seeds]
    own = np.array([histogram_g(run, *shape) for run in counted])
    frames = counted[0]
    runs = [lammps_frames(options, folder / f"lammps-{k}", 4711 + k) for k in range(options.lammps_runs)]
    every_lammps = np.array([histogram_g(run, *shape) for run in runs])
    theirs, g_lammps = runs[0], every_lammps.mean(axis=0)
    scatter = own.std(axis=0, ddof=1)
    inside = (r > R_RANGE[0]) & (r < R_RANGE[1])
    mean = own.mean(axis=0)
    others = [np.delete(own, k, axis=0).mean(axis=0) for k in range(len(own))]
    per_run = [compare(rest, run, scatter / np.sqrt(len(own) - 1), scatter, inside)
               for run, rest in zip(own, others)]
    return {
        "machine": machine(), "precision": options.precision, "thermostat": options.thermostat,
        "kelvin": KELVIN, "dt_fs": options.dt,
        "skipped_ps": options.skip, "counted_ps": options.time, "nanoday_runs": len(own),
        "frames": {"nanoday": len(frames), "lammps": len(theirs)}, "r_range_A": R_RANGE,
        "rdf_csv_against_its_trajectory": float(np.abs(written - histogram_g(every_frame, *shape)).max()),
        "lammps_runs": len(runs),
        "mean_of_lammps_runs_against_mean_of_nanoday_runs": compare(
            mean, g_lammps, scatter / np.sqrt(len(own)), scatter / np.sqrt(len(runs)), inside),
        "each_lammps_run_against_mean_of_nanoday_runs": {
            pair: [compare(mean, one, scatter / np.sqrt(len(own)), scatter, inside)[pair]["ratio"]
                   for one in every_lammps] for pair in PAIRS},
        "first_nanoday_run_against_lammps_by_blocks": compare(
            own[0], every_lammps[0], block_error(frames, *shape), block_error(theirs, *shape), inside),
        "nanoday_run_against_the_others": {
            pair: [run[pair]["ratio"] for run in per_run] for pair in PAIRS},
        "r_A": r.round(6).tolist(),
        "g": {pair: {"nanoday_mean": mean[k].round(6).tolist(), "nanoday_first_run": own[0, k].tolist(),
                     "lammps": g_lammps[k].round(6).tolist(),
                     "noise_of_one_run": scatter[k].round(6).tolist()}
              for k, pair in enumerate(PAIRS)}}


def arguments():
    parser = argparse.ArgumentParser(description="g(r) of water: nanoday against LAMMPS with DeePMD-kit")
    parser.add_argument("--peer", type=Path, required=True, help="environment with bin/lmp and bin/mpirun")
    parser.add_argument("--compressed", required=True, help="the model, compressed by DeePMD-kit, for LAMMPS")
    parser.add_argument("--nanoday", default="build/nanoday", help="the program [build/nanoday]")
    parser.add_argument("--model", default=EXAMPLES / "models/water.pb")
    parser.add_argument("--structure", default=EXAMPLES / "structures/water192.data")
    parser.add_argument("--oxygens", type=int, default=64, help="they come first in the structure [64]")
    parser.add_argument("--side", type=float, default=12.4447, help="of the cubic box, Å [12.4447]")
    parser.add_argument("--precision", default="double")
    parser.add_argument("--thermostat", choices=("langevin", "nhc"), default="langevin",
                        help="nhc leaves the energy of the O-H bonds where it began for some ps [langevin]")
    parser.add_argument("--dt", type=float, default=0.5, help="fs [0.5]")
    parser.add_argument("--skip", type=float, default=1, help="ps before counting starts [1]")
    parser.add_argument("--time", type=float, default=4, help="ps that are counted [4]")
    parser.add_argument("--runs", type=int, default=8, help="independent nanoday runs [8]")
    parser.add_argument("--lammps-runs", type=int, default=3, help="independent LAMMPS runs [3]")
    parser.add_argument("--cores", type=int, default=machine()["cores"])
    parser.add_argument("--work", type=Path, help="folder that keeps all runs [a temporary one]")
    parser.add_argument("--out", type=Path, default=Path("rdf_water.json"), help="the figure lies beside it")
    return parser.parse_args()


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        result = measure(options, options.work or Path(scratch))
    for title in ("mean_of_lammps_runs_against_mean_of_nanoday_runs",
                  "first_nanoday_run_against_lammps_by_blocks"):
        print(title.replace("_", " "))
        for pair, row in result[title].items():
            print(f"  {pair}  rms difference {row['rms_difference']:.4f}   expected from noise "
                  f"{row['expected_from_noise']:.4f}   ratio {row['ratio']:.2f}")
    for pair, ratios in result["each_lammps_run_against_mean_of_nanoday_runs"].items():
        print(f"  {pair}  each LAMMPS run " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    print("ratios of each nanoday run against the others, same formula")
    for pair, ratios in result["nanoday_run_against_the_others"].items():
        print(f"  {pair}  " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    print(f"rdf.csv against its own trajectory: {result['rdf_csv_against_its_trajectory']:.2g} at most")
    write_json(options.out, result)
    options.out.with_suffix(".svg").write_text(draw(result, PAIRS))


if __name__ == "__main__":
    main()
