"""Instructions per multiply-add of the fitting net's products under qemu: the kernels' own and OpenBLAS's."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass

import sve_loops

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Inputs of a fitting net's layers: first ones of water and copper at several ranks, and those after them.
DEPTHS = (2048, 832, 620, 210, 240)
N_OUT = 240
ATOMS = (1, 2, 3, 8, 32, 64, 128)
PRECISIONS = ("double", "single")
# The distribution's OpenBLAS was built without SVE; this package is a newer one with kernels for A64FX.
WHEEL = "scipy-openblas32==0.3.31.188.0"
CORE = "A64FX"


@dataclass
class Library:
    """What multiplies: a path for sve_products, what its functions' names begin with, and its folder."""

    path: str
    prefix: str = "-"
    folder: str = ""


def fetch_wheel(folder):
    """Path of the library in WHEEL, unpacked into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps",
               "--only-binary=:all:", "--platform", "manylinux2014_aarch64", "-d", folder, WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise SystemExit(f"sve_report: {WHEEL} cannot be fetched from the package index; leave products out "
                         f"of --only\n{done.stderr}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(folder)
    return next(folder.rglob("libscipy_openblas.so"))


def libraries(counter):
    """Name → Library, ours first."""
    folder = counter.folder / "openblas"
    folder.mkdir()
    newer = fetch_wheel(folder)
    distribution = pathlib.Path(counter.sysroot) / "usr/lib/aarch64-linux-gnu/libopenblas.so.0"
    return {"kernels": Library("kernels"),
            "openblas_a64fx": Library(str(newer), "scipy_", str(newer.parent)),
            "openblas_debian": Library(str(distribution))}


def compiled(counter, build):
    entry = sve_loops.compile_command(build, "kernels_sve512.cpp")
    program = counter.folder / "sve_products"
    subprocess.run([*sve_loops.compiler_words(entry), "-I", ROOT / "tests", "-o", program,
                    ROOT / "tests" / "bench" / "sve_products.cpp"], cwd=entry["directory"], check=True)
    return program


def measure_one(counter, program, library, shape):
    """Row of one product, name of the processor whose kernels ran, and the first atom's bits."""
    precision, depth, atoms = shape
    # Debian's library does not know the name and then takes its kernels for any ARMv8.
    environment = {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": CORE, "LD_LIBRARY_PATH": library.folder}
    counts, said = counter.count(program, library.path, library.prefix, precision, str(depth), str(N_OUT),
                               str(atoms), environment=environment)
    core, error, bits = said.split()
    products = depth * N_OUT * atoms
    row = {"instructions": round(counts["TOTAL"] / products, 4),
           "of_sve": round(counts["SVE"] / products, 4), "error": float(error)}
    return row, core, bits


def measure(counter, build, say):
    """Library → its processor; for each precision depth → atoms → row, and numbers of atoms with which the
    first one's results have the bits they have in the largest batch, at every depth."""
    program = compiled(counter, build)
    result = {}
    for name, library in libraries(counter).items():
        found = result[name] = {"same_bits": {}}
        for precision in PRECISIONS:
            say(f"products of {name} in {precision} precision")
            of_precision = found[precision] = {str(depth): {} for depth in DEPTHS}
            same = set(ATOMS)
            for depth in DEPTHS:
                bits = {}
                for atoms in ATOMS:
                    of_precision[str(depth)][str(atoms)], found["core"], bits[atoms] = measure_one(
                        counter, program, library, (precision, depth, atoms))
                same -= {atoms for atoms in ATOMS if bits[atoms] != bits[ATOMS[-1]]}
            found["same_bits"][precision] = sorted(same)
    return result
