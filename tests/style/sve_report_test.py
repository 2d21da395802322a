#!/usr/bin/env python3
"""The tables of scripts/sve_report: those in benchmarks/README.md are made from benchmarks/sve.json."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import sve_loops  # noqa: E402
import sve_steps  # noqa: E402
import sve_tables  # noqa: E402


def report(folder, only="none"):
    command = [sys.executable, str(ROOT / "scripts" / "sve_report"), "--only", only, "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Tables(unittest.TestCase):
    def test_the_tables_of_the_readme_are_those_of_the_measurements(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for file in ("README.md", "sve.json"):
                shutil.copy(ROOT / "benchmarks" / file, folder)
            done = report(folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            before = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
            self.assertEqual((folder / "README.md").read_text(encoding="utf-8"), before)
            for part in sve_tables.TABLES:
                self.assertIn(before.split(sve_tables.marks(part)[0])[1].split("\n\n")[1], done.stdout)

    def test_a_readme_without_marks_is_refused(self):
        with self.assertRaises(SystemExit):
            sve_tables.put("no marks here", "loops", "a table")

    def test_only_the_text_between_the_marks_changes(self):
        begin, end = sve_tables.marks("tanh")
        self.assertEqual(sve_tables.put(f"before\n{begin}\nold\n{end}\nafter", "tanh", "new"),
                         f"before\n{begin}\n\nnew\n\n{end}\nafter")

    def test_a_part_that_does_not_exist_is_refused(self):
        done = report("/nowhere", "stepps")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("there is no part stepps", done.stderr)


class Reading(unittest.TestCase):
    def test_the_force_error_of_run_and_eval_is_found(self):
        expected = {"rms": 1.4e-06, "max": 7.7e-06}
        run = "accuracy   force error rms 1.4e-06, max 7.7e-06 eV/Å (measured on 3 x 192 atoms)"
        evaluated = ("force error against the net in double: rms 1.4e-06, max 7.7e-06 eV/Å (192 atoms, "
                     "3 copies)")
        self.assertEqual(sve_steps.force_error(run), expected)
        self.assertEqual(sve_steps.force_error(evaluated), expected)

    def test_functions_belong_to_their_stages(self):
        for name, stage in (("gemm_pairs", "products in half precision"), ("gemmIfLi1", "products"),
                            ("row_gradient_columns", "table backward"), ("other", "rest of the batch")):
            self.assertEqual(sve_steps.stage_of(f"_ZN7nanoday3cpu6sve512{name}"), stage)
        self.assertIsNone(sve_steps.stage_of("_ZN7nanoday8readme"))

    def test_blocks_laid_out_behind_a_return_are_no_loop(self):
        loop = [".L1:", "fmla z0.s, p0/m, z1.s, z2.s", "bne\t.L1"]
        spread = [".L2:", "fadd z0.s, z1.s, z2.s", "fadd z0.s, z1.s, z2.s", "ret", "b\t.L2"]
        self.assertEqual(sve_loops.main_loop(loop + spread), loop[1:])


if __name__ == "__main__":
    unittest.main()
