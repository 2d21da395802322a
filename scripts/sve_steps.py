"""Instructions that a step of molecular dynamics takes on SVE, counted under qemu, and what tanh takes."""
# SPDX-License-Identifier: Apache-2.0
import math
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import sve_loops

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"

# name -> model, structure, atoms of the model's types, cutoff [Å], sel by type
SYSTEMS = {
    "water": {"model": "water", "structure": "water192", "rcut": 6.0, "sel": (46, 92)},
    "copper": {"model": "copper", "structure": "copper256", "rcut": 8.0, "sel": (500,)},
}
STEPS = (2, 5)  # where the two runs end whose difference is counted; both go on from a checkpoint at step 1
# The steps of the papers, each with what it is given to the program, and the device.
WAYS = {
    "net": (["--table", "net"], "sve"),
    "quintic": (["--table", "quintic"], "sve"),
    "lowrank": (["--table", "lowrank"], "sve"),
    "quintic-mixed": (["--table", "quintic", "--precision", "mixed"], "sve"),
    "lowrank-mixed": (["--table", "lowrank", "--precision", "mixed"], "sve"),
    "quintic-neon": (["--table", "quintic"], "cpu"),
    "lowrank-neon": (["--table", "lowrank"], "cpu"),
    "lowrank-mixed-neon": (["--table", "lowrank", "--precision", "mixed"], "cpu"),
}
# What functions of the kernels do, by their mangled names; the first that matches.
STAGES = (
    ("environment", r"build_environment|environment_rows|batch_environment|filter|keep_nearest|pad_segment"),
    ("embedding net", r"continue_table|embedding_lanes|activate_lane"),
    ("table forward", r"accumulate_|descriptor_row|batch_descriptor"),
    ("table backward", r"row_gradient"),
    ("pair forces", r"pair_gradient|scatter_|atom_gradient|batch_gradient"),
    ("products", r"gemm|few_tile|pairs_tile"),
    ("rest of the batch", r"evaluate_batch|pair_features|fitting_|split_|activate_|backward|rotate"),
)
PER_NEIGHBOR = ("environment", "embedding net", "table forward", "table backward", "pair forces")


def sysroot():
    made = subprocess.run([ROOT / "scripts" / "arm64_sysroot"], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def plugin(folder):
    made = pathlib.Path(folder) / "qemu_count.so"
    source = ROOT / "scripts" / "qemu_count.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", made, source], check=True)
    return made


class Counter:
    """Runs programs under qemu with 512-bit vectors and one thread, and reads what the plugin counted."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.plugin = plugin(folder)
        self.sysroot = sysroot()

    def run(self, program, *arguments):
        """Function → instructions, "TOTAL" of all; what the program printed."""
        table = self.folder / "counts.txt"
        done = subprocess.run(
            ["qemu-aarch64", "-cpu", "max,sve512=on", "-L", self.sysroot, "-d", "plugin", "-D", table,
             "-plugin", f"{self.plugin},top=0", program, *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{program} {' '.join(map(str, arguments))} failed:\n{done.stdout}{done.stderr}")
        counts = {}
        for line in table.read_text(encoding="utf-8").splitlines():
            words = line.split(None, 4)
            if len(words) == 5 and words[0].isdigit():
                counts[words[4]] = counts.get(words[4], 0) + int(words[0])
        return counts, done.stdout


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


def step_counts(counter, programs, system, way):
    """Instructions of one step: in all, and by stage of the kernels.

    Choosing tables takes an emulated processor half an hour, so `programs.host` does it and takes one step;
    `programs.target` goes on from its checkpoint.
    """
    options, device = WAYS[way]
    totals = []
    with tempfile.TemporaryDirectory() as folder:
        first = pathlib.Path(folder) / "first"
        subprocess.run([programs.host, "run", EXAMPLES / "models" / f"{system['model']}.pb",
                        EXAMPLES / "structures" / f"{system['structure']}.data", "--nve", "--temperature",
                        "330", "--steps", "1", "--every", "0", "--thermo-every", "1000", "--out", first,
                        "--threads", "1", "--device", "cpu", *options], capture_output=True, check=True)
        for steps in STEPS:
            again = pathlib.Path(folder) / str(steps)
            shutil.copytree(first, again)
            totals.append(counter.run(programs.target, "resume", again, "--steps", str(steps), "--device",
                                      device)[0])
    few, many = totals
    change = {name: (many.get(name, 0) - few.get(name, 0)) / (STEPS[1] - STEPS[0]) for name in many}
    stages = {}
    for name, count in change.items():
        stage = stage_of(name)
        if stage and count > 0:
            stages[stage] = stages.get(stage, 0) + count
    return {"all": change["TOTAL"], "stages": stages}


def measure_system(counter, programs, name, ways, say):
    system = SYSTEMS[name]
    neighbors, atoms = neighbors_per_atom(system)
    rows = {}
    for way in ways:
        say(f"{name}, {way}")
        counts = step_counts(counter, programs, system, way)
        stages = {stage: round(count / atoms, 1) for stage, count in counts["stages"].items()}
        on_neighbors = sum(stages.get(stage, 0) for stage in PER_NEIGHBOR)
        rows[way] = {"per_atom": round(counts["all"] / atoms, 1),
                     "per_neighbor": round(on_neighbors / neighbors, 2), "stages_per_atom": stages}
    # What padding every atom's list to sel would add, by calculation: nanoday never pads. The same net or
    # table for entries that are no neighbors.
    sel = sum(system["sel"])
    padded = ("embedding net", "table forward", "table backward")
    for row in rows.values():
        loops = sum(row["stages_per_atom"].get(stage, 0) for stage in padded)
        row["per_atom_padded"] = round(row["per_atom"] + loops * (sel / neighbors - 1), 1)
    return {"atoms": atoms, "neighbors_per_atom": round(neighbors, 2), "sel": sel, "ways": rows}


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
        counts, said = counter.run(program, way)
        values, error = said.split()
        rows[way] = {"instructions": round(counts["TOTAL"] / int(values), 3), "error": float(error)}
    return rows


def missing_tools():
    """Programs that are not here and are needed to measure."""
    return [tool for tool in ("llvm-mca", "qemu-aarch64", "aarch64-linux-gnu-g++", "gcc", "ninja")
            if shutil.which(tool) is None]
