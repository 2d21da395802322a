# Runs LAMMPS with DeePMD-kit's plugin, installed in one Python environment, for the scripts of this folder.
# SPDX-License-Identifier: Apache-2.0
import os
import re
import subprocess
from pathlib import Path

MASSES = {"H": 1.00794, "O": 15.9994, "Cu": 63.546}


def header(structure, elements, model, replicate=(1, 1, 1)):
    """The part of a LAMMPS script that sets up the system: metal units, skin 2 A, pair style of the model."""
    lines = ["units metal", "atom_style atomic", "boundary p p p", "plugin load libdeepmd_lmp.so",
             f"read_data {Path(structure).resolve()}", "replicate " + " ".join(map(str, replicate))]
    lines += [f"mass {number} {MASSES[name]}" for number, name in enumerate(elements, start=1)]
    lines += [f"pair_style deepmd {Path(model).resolve()}", "pair_coeff * * " + " ".join(elements),
              "neighbor 2.0 bin", "timestep 0.0005"]
    return lines


def dplr_header(structure, model, mesh, beta):
    """As header() for a DPLR model and a structure with virtual atoms of type 3 bonded to type 1."""
    model = Path(model).resolve()
    return ["units metal", "atom_style full", "boundary p p p", "plugin load libdeepmd_lmp.so",
            f"read_data {Path(structure).resolve()}", "group real type 1 2", f"pair_style deepmd {model}",
            "pair_coeff * *", "bond_style zero", "bond_coeff *", "special_bonds lj/coul 1 1 1 angle no",
            "kspace_style pppm/dplr 1e-5", f"kspace_modify gewald {beta} diff ik mesh {mesh} {mesh} {mesh}",
            f"fix long all dplr model {model} type_associate 1 3 bond_type 1", "fix_modify long virial yes",
            "neighbor 2.0 bin", "timestep 0.0005"]


def run(peer, lines, folder, ranks=1, threads=1):
    """Runs the script in `folder`; returns what LAMMPS printed. RuntimeError when it fails."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.lammps").write_text("\n".join(lines) + "\n")
    settings = {"OMP_NUM_THREADS": threads, "DP_INTRA_OP_PARALLELISM_THREADS": threads,
                "DP_INTER_OP_PARALLELISM_THREADS": 1, "TF_CPP_MIN_LOG_LEVEL": 3}
    environment = {**os.environ, **{key: str(value) for key, value in settings.items()}}
    programs = Path(peer).expanduser().absolute() / "bin"
    command = [programs / "mpirun", "-np", str(ranks), programs / "lmp", "-in", "in.lammps"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    (folder / "lammps.out").write_text(done.stdout + done.stderr)
    if done.returncode != 0 or "Loop time" not in done.stdout:
        raise RuntimeError("LAMMPS failed:\n" + (done.stdout + done.stderr)[-1500:])
    return done.stdout


def loop_milliseconds(output):
    """Milliseconds per step from LAMMPS's last 'Loop time' line."""
    seconds, steps = re.findall(r"Loop time of (\S+) on \d+ procs for (\d+) steps", output)[-1]
    return 1e3 * float(seconds) / int(steps)
