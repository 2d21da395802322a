#!/usr/bin/env python3
"""The scripts around the GPU do without one what they can: tables, comparisons, refusals, the time guard."""
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"

# Stands in for the program: refuses what is not built, answers bench, eval and info.
PROGRAM = """#!/usr/bin/env python3
import json, pathlib, sys, time
words = sys.argv[1:]
if "--replicas" in words or "--solver-only" in words:
    sys.exit(sys.stderr.write("nanoday: The following argument was not expected: --replicas\\n") and 2)
if words[0] == "info":
    print("cpu      here\\ncuda     here")
if words[0] == "bench":
    if "fast" in words:
        time.sleep(60)
    if "80" in words:
        sys.exit(sys.stderr.write("nanoday: the device has no memory left\\n") and 1)
    out = {"atoms": 998784, "ms_per_step": 20.0, "atom_steps_per_s": 5e7, "precision": "mixed",
           "force_error_rms": 1e-6, "force_error_max": 1e-5, "stages": {"fitting": 15.0, "descriptor": 5.0}}
    pathlib.Path(words[words.index("--json") + 1]).write_text(json.dumps(out))
if words[0] == "eval":
    off = 1e-9 if "cuda" in words and "copper.pb" in words[1] else 0
    frame = {"energy": 1.0, "forces": [[1.0, 2.0, 3.0 + off]], "virial": [1.0] * 9}
    pathlib.Path(words[words.index("--json") + 1]).write_text(json.dumps({"frames": [frame]}))
if words[0] == "run":
    folder = pathlib.Path(words[words.index("--out") + 1])
    folder.mkdir()
    for name in ("thermo.csv", "trajectory.extxyz"):
        (folder / name).write_text("same")
"""


def fake(folder, name, text):
    path = pathlib.Path(folder) / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def run(*command, **environment):
    """(exit code, output and errors)."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                          env={**os.environ, **{key: str(value) for key, value in environment.items()}})
    return done.returncode, done.stdout + done.stderr


def result(job, value, unit, **bench):
    bench = {"atoms": 1000000, "stages": {"fitting": 3.0, "descriptor": 1.0, "pppm_hidden": 9.0},
             "force_error_rms": 1e-6, "force_error_max": 2e-5, **bench}
    return {"job": job, "status": "ok", "unit": unit, "value": value, "bench": bench,
            "gpu": {"name": "NVIDIA H200", "memory": "143771 MiB", "driver": "580"}}


class Table(unittest.TestCase):
    def written(self, *results, readme="# Benchmarks\n\ntext\n"):
        with tempfile.TemporaryDirectory() as folder:
            for one in results:
                file = pathlib.Path(folder) / f"h200-{one['job']}.json"
                file.write_text(json.dumps(one), encoding="utf-8")
            path = pathlib.Path(folder) / "README.md"
            path.write_text(readme, encoding="utf-8")
            texts = []
            for _ in range(2):
                code, output = run(sys.executable, SCRIPTS / "gpu_table.py", "--folder", folder)
                self.assertEqual(code, 0, output)
                texts.append(path.read_text(encoding="utf-8"))
        self.assertEqual(texts[0], texts[1], "writing the table again changes nothing")
        return texts[0]

    def test_a_bar_that_is_kept_and_one_that_is_missed(self):
        text = self.written(result("water-1m-mixed", 0.02, "us/step/atom", device_memory_bytes=9e8),
                            result("dplr-403k-mixed", 31.0, "ms/step"))
        self.assertIn("| water DP, mixed | 1,000,000 | 0.02 us/step/atom | ≤ 0.025 us/step/atom | kept "
                      "| 40 % | 1.0e-06, 2.0e-05 | 900 | fitting, 75 % |", text)
        self.assertIn("| 31 ms/step | ≤ 20 ms/step | **missed** |", text)
        self.assertIn("NVIDIA H200, 143771 MiB, driver 580:", text)

    def test_replicas_are_held_to_the_figure_of_a_million_atoms(self):
        text = self.written(result("water-1m-mixed", 0.02, "us/step/atom"),
                            result("replicas-64-mixed", 0.029, "us/step/atom", atoms=12288))
        self.assertIn("| 12,288 | 0.029 us/step/atom | ≤ 0.03 us/step/atom | kept |", text)

    def test_the_largest_system_must_reach_its_bar_from_above(self):
        text = self.written(result("water-largest", 100776960, "atoms", atoms=100776960))
        self.assertIn("| 100.8 M atoms | ≥ 100.0 M atoms | kept |", text)

    def test_what_was_not_built_is_said(self):
        text = self.written({"job": "pppm-32", "status": "not built", "unit": "us/solve", "gpu": {}})
        self.assertIn("| not built | ≤ 40 us/solve |", text)

    def test_the_rest_of_the_page_stays(self):
        page = ("# Benchmarks\n\nbefore\n\n<!-- gpu table: written by scripts/gpu_table.py -->\nold\n"
                "<!-- end of gpu table -->\n\n## after\n")
        text = self.written(result("water-1m-mixed", 0.02, "us/step/atom"), readme=page)
        self.assertTrue(text.startswith("# Benchmarks\n\nbefore\n"))
        self.assertTrue(text.endswith("\n\n## after\n"))
        self.assertNotIn("old", text)

    def test_without_results_the_command_is_named(self):
        self.assertIn("`scripts/gpu-check`", self.written())


class Jobs(unittest.TestCase):
    def test_each_job_ends_in_its_own_way_and_the_next_one_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            program = fake(folder, "nanoday", PROGRAM)
            code, output = run(sys.executable, SCRIPTS / "gpu_jobs.py", "--nanoday", program, "--device", "x",
                               "--out", folder, "--seconds", "8", "--only", "pppm-32", "water-1m-mixed",
                               "water-largest")
            self.assertEqual(code, 1)
            found = {p.stem: json.loads(p.read_text()) for p in pathlib.Path(folder).glob("*.json")}
        self.assertEqual(found["x-pppm-32"]["status"], "not built")
        self.assertEqual(found["x-water-1m-mixed"]["status"], "ok")
        self.assertAlmostEqual(found["x-water-1m-mixed"]["value"], 0.02)
        self.assertEqual(found["x-water-largest"]["status"], "failed")
        self.assertIn("no memory left", found["x-water-largest"]["words"])
        self.assertNotIn(str(ROOT), json.dumps(found), "results name no folder of this machine")

    def test_a_job_without_end_is_stopped(self):
        with tempfile.TemporaryDirectory() as folder:
            program = fake(folder, "nanoday", PROGRAM)
            code, output = run(sys.executable, SCRIPTS / "gpu_jobs.py", "--nanoday", program, "--device", "x",
                               "--out", folder, "--seconds", "6", "--only", "water-1m-fast",
                               "water-1m-mixed")
        self.assertEqual(code, 1)
        self.assertIn("stopped after 6 s", output)
        self.assertIn("no time was left", output)

    def test_a_failure_does_not_wipe_out_an_earlier_result(self):
        with tempfile.TemporaryDirectory() as folder:
            program, file = fake(folder, "nanoday", PROGRAM), pathlib.Path(folder) / "x-water-largest.json"
            file.write_text("{}", encoding="utf-8")
            run(sys.executable, SCRIPTS / "gpu_jobs.py", "--nanoday", program, "--device", "x", "--out",
                folder, "--only", "water-largest")
            self.assertEqual(file.read_text(encoding="utf-8"), "{}")

    def test_every_job_names_files_that_are_there(self):
        code, output = run(sys.executable, SCRIPTS / "gpu_jobs.py", "--list")
        self.assertEqual(code, 0)
        for line in output.splitlines():
            for word in line.split():
                if "/examples/" in word:
                    self.assertTrue(pathlib.Path(word).exists(), word)


class Agreement(unittest.TestCase):
    def test_a_difference_above_its_bound_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            program = fake(folder, "nanoday", PROGRAM)
            code, output = run(sys.executable, SCRIPTS / "gpu_agreement.py", "--nanoday", program)
        self.assertEqual(code, 1)
        self.assertRegex(output, r"FAILED +copper, fifth-order tables: 2.7e-10 \(forces\)")
        self.assertRegex(output, r"fine +water, fifth-order tables: 0.0e\+00")
        self.assertRegex(output, r"fine +copper, low rank, mixed")
        self.assertIn("the same bytes", output)

    def test_numbers_that_are_none_are_a_difference(self):
        sys.path.insert(0, str(SCRIPTS))
        from gpu_agreement import difference
        self.assertEqual(difference([float("nan")], [1.0]), float("inf"))
        self.assertEqual(difference([1.0], [1.0, 2.0]), float("inf"))


class Check(unittest.TestCase):
    def test_without_gpu_every_stage_says_what_it_lacks(self):
        with tempfile.TemporaryDirectory() as folder:
            code, output = run(SCRIPTS / "gpu-check", "--stages", "tests,bench,memcheck",
                               NANODAY_BUILD=folder, PATH=f"{folder}:/usr/bin:/bin", CUDA_HOME=folder)
        self.assertEqual(code, 1)
        self.assertIn("there are no tests with the label gpu", output)
        self.assertIn("nvidia-smi names no GPU", output)
        self.assertRegex(output, r"memcheck +\d+ +(skipped|FAILED)")

    def test_stages_without_time_are_not_run(self):
        with tempfile.TemporaryDirectory() as folder:
            code, output = run(SCRIPTS / "gpu-check", "--stages", "agreement", NANODAY_BUILD=folder,
                               NANODAY_GPU_SECONDS=5)
        self.assertEqual(code, 1)
        self.assertIn("not run (no time left)", output)

    def test_unknown_words_are_refused(self):
        self.assertEqual(run(SCRIPTS / "gpu-check", "--stages", "tea")[0], 2)
        self.assertEqual(run(SCRIPTS / "gpu-check", "--tea")[0], 2)

    def test_a_dry_run_names_the_benchmarks(self):
        code, output = run(SCRIPTS / "gpu-check", "--dry-run")
        self.assertEqual(code, 0)
        self.assertIn("--replicate 17 17 18 --device cuda --precision double", output)


class Profile(unittest.TestCase):
    def table(self, kind, text):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "report"
            file.write_text(text, encoding="utf-8")
            return run(sys.executable, SCRIPTS / "profile_table.py", kind, file)

    def test_without_gpu_it_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            code, output = run(SCRIPTS / "profile", "m", "s", PATH="/usr/bin:/bin", NANODAY_BUILD=folder)
        self.assertEqual(code, 2)
        self.assertIn("no NVIDIA GPU", output)

    def test_kernels_of_nsys_are_gathered_by_stage(self):
        name = "void nanoday::cuda::run<nanoday::cuda::(anonymous namespace)::DescriptorForward<float>>(T1)"
        code, output = self.table("nsys", (
            '\nTime (%),Total Time (ns),Instances,Avg (ns),Name\n'
            f'60.0,3000000,100,30000.0,"{name}"\n'
            '40.0,1000000,100,10000.0,"void nanoday::cuda::run<nanoday::cuda::Kick>(T1)"\n'))
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"descriptor +100 +3.000 +75.0 %")
        self.assertRegex(output, r"integrate +100 +1.000 +25.0 %")
        self.assertRegex(output, r"DescriptorForward<float> +100 +30.00")

    def test_ncu_says_how_busy_the_device_is(self):
        code, output = self.table("ncu", (
            'what the program printed\n'
            '"ID","Kernel Name","gpu__dram_throughput.avg","gpu__time_duration.sum","sm__throughput.avg"\n'
            '"","","%","us","%"\n'
            '"0","void run<nanoday::cuda::DenseKernel<float, 0>>(T1)","20","30","80"\n'
            '"1","void run<nanoday::cuda::DenseKernel<float, 0>>(T1)","40","10","40"\n'))
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"fitting +2 +0.040 +100.0 %")
        self.assertRegex(output, r"DenseKernel<float, 0> +2 +20.00 +100.0 % +70.0 % +25.0 %")

    def test_a_report_without_kernels_is_a_failure(self):
        self.assertEqual(self.table("nsys", "Time (%),Total Time (ns),Instances,Name\n")[0], 1)
        self.assertEqual(self.table("ncu", "==ERROR== no device\n")[0], 1)

    def test_the_programs_own_timers(self):
        bench = {"atoms": 564, "precision": "mixed", "ms_per_step": 0.2,
                 "stages": {"pppm": 0.05, "fitting": 0.1}}
        code, output = self.table("events", json.dumps(bench))
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"fitting +0.1000 +50.0 %")


class Sm70(unittest.TestCase):
    @unittest.skipIf(pathlib.Path("/usr/bin/nvcc").exists(), "a CUDA 12 compiler of this system would do")
    def test_without_package_index_it_is_skipped_with_the_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            code, output = run(SCRIPTS / "check_sm70.py", "--root", ROOT, ROOT / "cuda/device.hpp",
                               NANODAY_CUDA12=folder, PIP_INDEX_URL="http://127.0.0.1:9/simple",
                               PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="", PIP_RETRIES=0, CUDA12_HOME="",
                               PATH="/usr/bin:/bin")
        self.assertEqual(code, 77, output)
        self.assertIn("skipped:", output)

    def test_a_tree_without_sources_is_a_fault(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run(SCRIPTS / "check_sm70.py", "--root", folder)[0], 1)


if __name__ == "__main__":
    unittest.main()
