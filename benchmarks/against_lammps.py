#!/usr/bin/env python3
# Times LAMMPS with DeePMD-kit and nanoday in turn on the same systems and writes medians and their ratio.
# SPDX-License-Identifier: Apache-2.0
#
# Both do constant energy from 330 K with steps of 0.5 fs, skin 2 Å, neighbor lists every 50 steps, energy and
# pressure every 10. LAMMPS gets the model as DeePMD-kit compressed it (its fastest) and each round runs once
# with all cores as threads of one rank and once with one rank per core; the faster of the two counts.
import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

import lammps_peer
from machine import EXAMPLES, machine, nanoday, write_json

SYSTEMS = {  # model, structure, its elements, copies, atoms that makes
    "water": ("water", "water192", ("O", "H"), (2, 2, 2), 1536),
    "copper": ("copper", "copper256", ("Cu",), (2, 2, 1), 1024),
    "dplr": ("water-dplr", "water188", ("O", "H"), (1, 1, 1), 564),
}
MESH, BETA = 36, 0.4  # of "dplr", the same in both programs; order 5
KEPT = ("stages", "long_range", "table", "table_ranks", "force_error_rms", "force_error_max",
        "peak_memory_bytes", "machine")


def lammps_lines(options, name):
    """LAMMPS's script; every net it evaluates is a compressed one."""
    model, structure, elements, copies, _ = SYSTEMS[name]
    compressed = options.compressed_models / f"{model}-compressed.pb"
    if name == "dplr":
        lines = lammps_peer.dplr_header(EXAMPLES / f"structures/{structure}-dplr.data", compressed, MESH, BETA)
        group, neighbors = "real", "exclude type 1 3"
    else:
        lines = lammps_peer.header(EXAMPLES / f"structures/{structure}.data", elements, compressed, copies)
        group, neighbors = "all", ""
    return lines + [f"neigh_modify every 50 delay 0 check no {neighbors}",
                    f"velocity {group} create 330 8191 mom yes rot no", f"fix move {group} nve", "thermo 10",
                    f"run {options.warmup}", f"run {options.steps}"]


def time_lammps(options, name, folder):
    """Milliseconds per step of LAMMPS, for each way to use the cores: {"1 rank x 2 threads": …}."""
    lines = lammps_lines(options, name)
    times = {}
    for ranks, threads in sorted({(1, options.cores), (options.cores, 1)}):
        output = lammps_peer.run(options.peer, lines, folder, ranks, threads)
        times[f"{ranks} ranks x {threads} threads"] = lammps_peer.loop_milliseconds(output)
    return times


def time_nanoday(options, name, precision, folder):
    """What `nanoday bench --json` says of one run; the number of atoms is checked against LAMMPS's."""
    model, structure, _, copies, atoms = SYSTEMS[name]
    file = Path(folder) / "bench.json"
    solver = ("--solver", "pppm", "--mesh", MESH, MESH, MESH, "--order", 5) if name == "dplr" else ()
    nanoday(options.nanoday, "bench", EXAMPLES / f"models/{model}.pb",
            EXAMPLES / f"structures/{structure}.data", "--replicate", *copies, "--steps", options.steps,
            "--precision", precision, "--threads", options.cores, "--json", file, *solver)
    bench = json.loads(file.read_text())
    if bench["atoms"] != atoms:
        raise RuntimeError(f"{name}: nanoday timed {bench['atoms']} atoms, {atoms} are meant")
    return bench


def measure(options, name, folder):
    """All rounds of one system: LAMMPS, then nanoday in each precision, and again."""
    lammps, own = [], {precision: [] for precision in options.precision}
    for turn in range(1, options.rounds + 1):
        lammps.append(time_lammps(options, name, folder))
        for precision, benches in own.items():
            benches.append(time_nanoday(options, name, precision, folder))
        shown = ", ".join(f"nanoday {p} {b[-1]['ms_per_step']:.3f}" for p, b in own.items())
        print(f"{name} round {turn}: LAMMPS {min(lammps[-1].values()):.1f}, {shown} ms/step", flush=True)
    best = [min(times.values()) for times in lammps]
    result = {"atoms": SYSTEMS[name][4],
              "lammps": {"ms_per_step": median(best), "every_round": lammps}, "nanoday": {}}
    for precision, benches in own.items():
        each = [bench["ms_per_step"] for bench in benches]
        middle = min(benches, key=lambda bench: abs(bench["ms_per_step"] - median(each)))
        ratios = [theirs / ours for theirs, ours in zip(best, each)]
        result["nanoday"][precision] = {
            "ms_per_step": median(each), "every_round": each, "ratio": median(ratios),
            "ratio_every_round": ratios, **{key: middle[key] for key in KEPT if key in middle}}
    return result


def table(systems):
    """The result as the Markdown table of README.md."""
    rows = ["| system | atoms | LAMMPS + DeePMD-kit, ms/step | nanoday | ms/step | ratio "
            "| force error rms, max |",
            "|---|---|---|---|---|---|---|"]
    for name, one in systems.items():
        for precision, own in one["nanoday"].items():
            rows.append(f"| {name} | {one['atoms']:,} | {one['lammps']['ms_per_step']:.1f} | {precision} | "
                        f"{own['ms_per_step']:.2f} | {own['ratio']:.1f} | {own['force_error_rms']:.1e}, "
                        f"{own['force_error_max']:.1e} eV/Å |")
    return "\n".join(rows)


def arguments():
    parser = argparse.ArgumentParser(description="nanoday against LAMMPS with DeePMD-kit, in turn")
    parser.add_argument("--peer", type=Path, required=True, help="environment with bin/lmp and bin/mpirun")
    parser.add_argument("--compressed-models", type=Path,
                        help="folder of water-compressed.pb and copper-compressed.pb [PEER/models]")
    parser.add_argument("--nanoday", default="build/nanoday", help="the program [build/nanoday]")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is measured [3]")
    parser.add_argument("--steps", type=int, default=20, help="steps of one measurement [20]")
    parser.add_argument("--warmup", type=int, default=3, help="steps of LAMMPS that are not counted [3]")
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--precision", nargs="+", default=["double", "mixed"])
    parser.add_argument("--cores", type=int, default=machine()["cores"])
    parser.add_argument("--out", default="against_lammps.json")
    options = parser.parse_args()
    options.compressed_models = options.compressed_models or options.peer / "models"
    return options


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        systems = {name: measure(options, name, folder) for name in options.systems}
    print(table(systems))
    write_json(options.out, {"machine": machine(), "cores_used": options.cores, "rounds": options.rounds,
                             "steps": options.steps, "systems": systems})


if __name__ == "__main__":
    main()
