"""Instructions that a step of molecular dynamics takes on SVE, counted under qemu, and what tanh takes."""
# SPDX-License-Identifier: Apache-2.0
import json
import math
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

import sve_loops

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

# name -> model, structure, atoms of the model's types, cutoff [Å], sel by type
SYSTEMS = {
    "water": {"model": "water", "structure": "water192", "rcut": 6.0, "sel": (46, 92)},
    "copper": {"model": "copper", "structure": "copper256", "rcut": 8.0, "sel": (500,)},
}
STEPS = (2, 5)  # where the two runs end whose difference is counted; both go on from a checkpoint at step 1


@dataclass(frozen=True)
class Way:
    """One of the papers' steps: what it is called, what the program is given, and who chooses tables.

    An emulated processor takes minutes to choose low-rank tables, so this machine does. Which products are
    rounded to half precision is measured where they are, by the target itself.
    """

    title: str
    options: tuple
    device: str = "sve"
    isa: str = "sve512"
    on_target: bool = False


QUINTIC, LOWRANK, MIXED = ("--table", "quintic"), ("--table", "lowrank"), ("--precision", "mixed")
# At the usual bound of 1e-6 eV/Å the search finds no product that half precision does not change too much.
WIDER = ("--force-error", "1e-5")
WAYS = {
    "net": Way("embedding net, double", ("--table", "net")),
    "quintic": Way("quintic table", QUINTIC),
    "quintic-mixed": Way("quintic table, mixed", QUINTIC + MIXED),
    "lowrank": Way("low rank", LOWRANK),
    "lowrank-mixed": Way("low rank, mixed", LOWRANK + MIXED),
    "lowrank-mixed-1e-5": Way("low rank, mixed, `--force-error 1e-5`", LOWRANK + MIXED + WIDER),
    "lowrank-mixed-fp16": Way("the same, half precision", LOWRANK + MIXED + WIDER, isa="sve512fp16",
                              on_target=True),
    "quintic-neon": Way("quintic table, NEON", QUINTIC, "cpu", "baseline"),
    "lowrank-neon": Way("low rank, NEON", LOWRANK, "cpu", "baseline"),
    "lowrank-mixed-neon": Way("low rank, mixed, NEON", LOWRANK + MIXED, "cpu", "baseline"),
}
HOST_ISA = "baseline"  # it never rounds to 16 bits, on no processor
# What functions of the kernels do, by their mangled names; the first that matches.
STAGES = (
    ("environment", r"build_environment|environment_rows|batch_environment|filter|keep_nearest|pad_segment"),
    ("embedding net", r"continue_table|embedding_lanes|activate_lane"),
    ("table forward", r"accumulate_|descriptor_row|batch_descriptor"),
    ("table backward", r"row_gradient"),
    ("pair forces", r"pair_gradient|scatter_|atom_gradient|batch_gradient"),
    ("products in half precision", r"gemm_pairs|pairs_tile"),
    ("products", r"gemm|few_tile"),
    ("rest of the batch", r"evaluate_batch|pair_features|fitting_|split_|activate_|backward|rotate"),
)
PER_NEIGHBOR = ("environment", "embedding net", "table forward", "table backward", "pair forces")


def read_structure(path):
    """Box lengths and positions of a LAMMPS data file with an orthogonal box, type by atom."""
    lines = path.read_text(encoding="utf-8").splitlines()
    box = [tuple(map(float, line.split()[:2])) for line in lines if re.search(r"[xyz]lo [xyz]hi", line)]
    start = next(i for i, line in enumerate(lines) if line.startswith("Atoms")) + 2
    rows = []
    for line in lines[start:]:
        if not line.strip():
            break
        words = line.split()
        rows.append((int(words[1]), *map(float, words[2:5])))
    return [high - low for low, high in box], rows


def neighbors_per_atom(system):
    """Mean number of atoms within the cutoff of an atom, periodic images counted."""
    length, rows = read_structure(EXAMPLES / "structures" / f"{system['structure']}.data")
    rcut2, reach = system["rcut"] ** 2, [math.ceil(system["rcut"] / a) for a in length]
    axis = [[k * a for k in range(-n, n + 1)] for a, n in zip(length, reach)]
    count = 0
    for i, (_, *x) in enumerate(rows):
        for j, (_, *y) in enumerate(rows):
            d = [b - a - l * round((b - a) / l) for a, b, l in zip(x, y, length)]
            sx, sy, sz = ([(d[c] + s) ** 2 for s in axis[c]] for c in range(3))
            count += sum(p + q + r < rcut2 for p in sx for q in sy for r in sz) - (i == j)
    return count / len(rows), len(rows)


def stage_of(name):
    if "sve512" not in name and "baseline" not in name:
        return None
    return next((stage for stage, pattern in STAGES if re.search(pattern, name)), "rest of the batch")


def run_chooser(counter, programs, way, *arguments):
    """What the program that chooses the tables of a way prints."""
    arguments = [*arguments, "--threads", "1", *way.options]
    if way.on_target:
        return counter.run(programs.target, *arguments, "--device", way.device, "--isa", way.isa)
    return subprocess.run([programs.host, *arguments, "--device", "cpu", "--isa", HOST_ISA],
                          capture_output=True, text=True, check=True).stdout


def files_of(system):
    return (EXAMPLES / "models" / f"{system['model']}.pb",
            EXAMPLES / "structures" / f"{system['structure']}.data")


def choose(counter, programs, system, way, folder):
    """Takes the first step of a run in `folder`; returns the force error that the program measured."""
    said = run_chooser(counter, programs, way, "run", *files_of(system), "--nve", "--temperature", "330",
                       "--steps", "1", "--every", "0", "--thermo-every", "1000", "--out", folder)
    return force_error(said)


def force_error(said):
    """Rms and largest force error in what the program prints."""
    found = re.search(r"force error[^:\n]*?:? rms (\S+), max (\S+) eV/Å", said)
    return {"rms": float(found[1]), "max": float(found[2])}


def step_counts(counter, programs, system, way):
    """Instructions of one step: in all, and by stage of the kernels; the plan's force error."""
    totals = []
    with tempfile.TemporaryDirectory() as folder:
        first = pathlib.Path(folder) / "first"
        error = choose(counter, programs, system, way, first)
        for steps in STEPS:
            again = pathlib.Path(folder) / str(steps)
            shutil.copytree(first, again)
            totals.append(counter.count(programs.target, "resume", again, "--steps", str(steps), "--device",
                                        way.device, "--isa", way.isa)[0])
    few, many = totals
    change = {name: (many.get(name, 0) - few.get(name, 0)) / (STEPS[1] - STEPS[0]) for name in many}
    stages = {}
    for name, count in change.items():
        stage = stage_of(name)
        if stage and count > 0:
            stages[stage] = stages.get(stage, 0) + count
    return {"all": change["TOTAL"], "stages": stages, "error": error}


def measure_system(counter, programs, name, ways, say):
    system = SYSTEMS[name]
    neighbors, atoms = neighbors_per_atom(system)
    rows = {}
    for way in ways:
        say(f"{name}, {way}")
        counts = step_counts(counter, programs, system, WAYS[way])
        stages = {stage: round(count / atoms, 1) for stage, count in counts["stages"].items()}
        on_neighbors = sum(stages.get(stage, 0) for stage in PER_NEIGHBOR)
        rows[way] = {"per_atom": round(counts["all"] / atoms, 1),
                     "per_neighbor": round(on_neighbors / neighbors, 2), "error": counts["error"],
                     "stages_per_atom": stages}
    # What padding every atom's list to sel would add, by calculation: nanoday never pads. The same net or
    # table for entries that are no neighbors.
    sel = sum(system["sel"])
    padded = ("embedding net", "table forward", "table backward")
    for row in rows.values():
        loops = sum(row["stages_per_atom"].get(stage, 0) for stage in padded)
        row["per_atom_padded"] = round(row["per_atom"] + loops * (sel / neighbors - 1), 1)
    return {"atoms": atoms, "neighbors_per_atom": round(neighbors, 2), "sel": sel, "ways": rows}


HALF_WAYS = ("lowrank-mixed-1e-5", "lowrank-mixed-fp16")


def forces(path):
    frame = json.loads(path.read_text(encoding="utf-8"))["frames"][0]
    return [component for force in frame["forces"] for component in force]


def measure_half(counter, programs, say):
    """Force errors of water's mixed plans with and without half precision, as the program that chooses them
    measures them on displaced copies, and on the structure against the untabulated net in double."""
    exact_file, file = counter.folder / "exact.json", counter.folder / "forces.json"
    run_chooser(counter, programs, WAYS["net"], "eval", *files_of(SYSTEMS["water"]), "--json", exact_file)
    exact = forces(exact_file)
    rows = {}
    for name in HALF_WAYS:
        say(f"forces of water, {name}")
        said = run_chooser(counter, programs, WAYS[name], "eval", *files_of(SYSTEMS["water"]), "--json", file)
        off = [abs(a - b) for a, b in zip(forces(file), exact, strict=True)]
        rows[name] = {"of_plan": force_error(said),
                      "of_structure": {"rms": math.sqrt(sum(d * d for d in off) / len(off)), "max": max(off)}}
    return rows


TANH_WAYS = ("kernel-float", "inherited-float", "libm-float", "kernel-double", "inherited-double",
             "libm-double")


def measure_tanh(counter, build):
    """Instructions per value of each way to compute tanh, and its largest error."""
    entry = sve_loops.compile_command(build, "kernels_sve512.cpp")
    words = sve_loops.compiler_words(entry)
    program = counter.folder / "sve_tanh"
    sources = [ROOT / "tests" / "bench" / f"{stem}.cpp" for stem in ("sve_tanh", "sve_tanh_inherited")]
    subprocess.run([*words, "-I", ROOT / "tests", "-o", program, *sources], cwd=entry["directory"],
                   check=True)
    rows = {}
    for way in TANH_WAYS:
        counts, said = counter.count(program, way)
        values, error = said.split()
        rows[way] = {"instructions": round(counts["TOTAL"] / int(values), 3), "error": float(error)}
    return rows


def missing_tools():
    """Programs that are not here and are needed to measure."""
    return [tool for tool in ("llvm-mca", "qemu-aarch64", "aarch64-linux-gnu-g++", "gcc", "ninja")
            if shutil.which(tool) is None]
