"""Runs ARM programs under qemu with 512-bit vectors, and counts the instructions they execute."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def sysroot():
    made = subprocess.run([ROOT / "scripts" / "arm64_sysroot"], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def plugin(folder):
    made = pathlib.Path(folder) / "qemu_count.so"
    source = ROOT / "scripts" / "qemu_count.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", made, source], check=True)
    return made


class Counter:
    """An emulated processor, one thread, and a plugin that counts what it executes."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.plugin = plugin(folder)
        self.sysroot = sysroot()

    def _run(self, options, program, arguments, environment):
        variables = [word for name, value in environment.items() for word in ("-E", f"{name}={value}")]
        done = subprocess.run(["qemu-aarch64", "-cpu", "max,sve512=on", "-L", self.sysroot, *variables,
                               *options, program, *arguments],
                              env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise SystemExit(f"{program} {' '.join(map(str, arguments))} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def run(self, program, *arguments):
        """What the program printed; nothing is counted, which is faster."""
        return self._run([], program, arguments, {})

    def count(self, program, *arguments, environment=None):
        """Function → instructions, "TOTAL" of all, "SVE" those of SVE; what the program printed."""
        table = self.folder / "counts.txt"
        said = self._run(["-d", "plugin", "-D", table, "-plugin", f"{self.plugin},top=0"], program, arguments,
                         environment or {})
        counts = {}
        for line in table.read_text(encoding="utf-8").splitlines():
            words = line.split(None, 4)
            if len(words) != 5 or not words[0].isdigit():
                continue
            counts[words[4]] = counts.get(words[4], 0) + int(words[0])
            if words[4] == "TOTAL":
                counts["SVE"] = int(words[1])
        return counts, said
