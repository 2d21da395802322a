#!/usr/bin/env python3
"""The job scripts parse, start the ranks they promise, and name only options the program knows.

  job_scripts_test.py PROGRAM
"""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

JOBS = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "jobs"
SCRIPTS = ("summit.lsf", "fugaku.sh", "slurm.sh")
LAUNCHERS = {"summit.lsf": "jsrun", "fugaku.sh": "mpiexec", "slurm.sh": "srun"}
DIRECTIVE = re.compile(r"#(BSUB|PJM|SBATCH) ")
program = None


def known_options(command):
    done = subprocess.run([program, command, "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", done.stdout))


def launched(script, folder, **environment):
    """Words a script hands to its launcher, which here only writes them down; what ranks would inherit."""
    launcher = pathlib.Path(folder) / LAUNCHERS[script]
    launcher.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho "OMP_NUM_THREADS=$OMP_NUM_THREADS"\n'
                        'echo "OMP_PLACES=$OMP_PLACES OMP_PROC_BIND=$OMP_PROC_BIND"\n')
    launcher.chmod(0o755)
    hosts = pathlib.Path(folder) / "hosts"
    hosts.write_text("batch3\n" + "h01n01\n" * 42 + "h01n02\n" * 42)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SLURM")}
    clean |= {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "LSB_DJOB_HOSTFILE": str(hosts)}
    done = subprocess.run(["bash", JOBS / script], capture_output=True, text=True, check=False,
                          env={**clean, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


class JobScripts(unittest.TestCase):
    def test_they_parse(self):
        for script in SCRIPTS:
            done = subprocess.run(["bash", "-n", JOBS / script], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), script)

    def test_shellcheck_finds_nothing(self):
        if shutil.which("shellcheck") is None:
            self.skipTest("shellcheck is not installed")
        for script in SCRIPTS:
            done = subprocess.run(["shellcheck", JOBS / script], capture_output=True, text=True, check=False)
            self.assertEqual(done.stdout, "", script)

    def test_directives_come_before_the_first_command(self):
        for script in SCRIPTS:  # Slurm stops looking for them there
            lines = (JOBS / script).read_text(encoding="utf-8").splitlines()
            first = next(k for k, line in enumerate(lines) if line and not line.startswith("#"))
            self.assertFalse([line for line in lines[first:] if DIRECTIVE.match(line)], script)
            names = [line.split("=")[0] for line in lines[first:first + 3]]
            self.assertEqual(names, ["nanoday", "run", "folder"])

    def test_every_option_is_known_to_the_program(self):
        for script in SCRIPTS:
            with tempfile.TemporaryDirectory() as folder:
                words = launched(script, folder)
                given = {word for word in words[words.index("run"):] if word.startswith("--")}
                self.assertIn("--out", given)
                self.assertEqual(given - known_options("run"), set(), script)
                run = pathlib.Path(words[words.index("--out") + 1])
                run.mkdir(parents=True)
                (run / "checkpoint.bin").touch()
                words = launched(script, folder)
                given = {word for word in words[words.index("resume"):] if word.startswith("--")}
                self.assertEqual(words[words.index("resume") + 1], str(run))
                self.assertEqual(given - known_options("resume"), set(), script)

    def test_summit_gets_a_rank_and_a_gpu_per_resource_set(self):
        with tempfile.TemporaryDirectory() as folder:
            words = launched("summit.lsf", folder)
        self.assertEqual(words[:4], ["-n", "12", "-r", "6"])  # two hosts; the launch node does not count
        for word in ("-a1", "-g1", "--smpiargs=-gpu", "cuda", "OMP_NUM_THREADS=7"):
            self.assertIn(word, words)

    def test_fugaku_gets_a_rank_per_core_memory_group(self):
        self.assertIn("#PJM --mpi max-proc-per-node=4\n", (JOBS / "fugaku.sh").read_text(encoding="utf-8"))
        with tempfile.TemporaryDirectory() as folder:
            words = launched("fugaku.sh", folder)
        self.assertIn("OMP_NUM_THREADS=12", words)
        self.assertIn("OMP_PLACES=cores OMP_PROC_BIND=close", words)
        self.assertEqual(words[words.index("--pppm-cores") + 1], "1")
        self.assertEqual(words[words.index("--device") + 1], "sve")

    def test_slurm_binds_gpus_where_there_are_some(self):
        with tempfile.TemporaryDirectory() as folder:
            words = launched("slurm.sh", folder, SLURM_CPUS_PER_TASK="12", SLURM_GPUS_PER_TASK="1")
            for word in ("--gpus-per-task=1", "--gpu-bind=single:1", "--cpu-bind=cores",
                         "OMP_NUM_THREADS=12"):
                self.assertIn(word, words)
            self.assertEqual(words[words.index("--device") + 1], "cuda")
            words = launched("slurm.sh", folder, SLURM_CPUS_PER_TASK="32")
        self.assertFalse([word for word in words if "gpu" in word])
        self.assertEqual(words[words.index("--device") + 1], "cpu")

    def test_the_container_builds_with_the_scripts_of_the_tree(self):
        text = (JOBS / "Containerfile").read_text(encoding="utf-8")
        for path in re.findall(r"/opt/nanoday/(scripts/[\w./]+?)[;\s]", text):
            self.assertTrue((JOBS.parents[1] / path).exists(), path)
        lists = "\n".join(path.read_text(encoding="utf-8") for path in
                          (JOBS.parents[1] / "CMakeLists.txt", *(JOBS.parent / "cmake").glob("*.cmake")))
        for name in re.findall(r"-D(NANODAY_\w+)=", text):
            self.assertIn(name, lists)


if __name__ == "__main__":
    program = sys.argv.pop(1)
    unittest.main()
