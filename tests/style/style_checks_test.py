#!/usr/bin/env python3
"""The style checks find the faults they are for: each is given a small tree with one fault."""
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
HEADER = "// A file.\n// SPDX-License-Identifier: Apache-2.0\n"


def run(script, files, arguments=()):
    """(exit code, output) of a check on a tree of the given files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        command = [sys.executable, str(SCRIPTS / script), folder, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.returncode, result.stdout


class IncludeCheck(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        files = {"src/cpu/a.cpp": HEADER + '#include "math/m.hpp"\n#include <omp.h>\n'}
        self.assertEqual(run("check_includes.py", files)[0], 0)

    def test_forces_may_not_know_a_machine(self):
        files = {"src/forces/a.cpp": HEADER + '#include "cpu/machine.hpp"\n'}
        code, output = run("check_includes.py", files)
        self.assertEqual(code, 1)
        self.assertIn("src/forces/a.cpp:3: forces may not include cpu", output)

    def test_the_oracle_may_not_use_the_formulas_it_judges(self):
        files = {"src/oracle/a.cpp": HEADER + '#include "math/m.hpp"\n'}
        self.assertEqual(run("check_includes.py", files)[0], 1)

    def test_intrinsics_stay_in_the_machine(self):
        files = {"src/md/a.cpp": HEADER + "#include <immintrin.h>\n"}
        self.assertEqual(run("check_includes.py", files)[0], 1)

    def test_formulas_do_not_allocate(self):
        self.assertEqual(run("check_includes.py", {"src/math/a.hpp": HEADER + "#include <vector>\n"})[0], 1)

    def test_only_main_ends_the_program(self):
        files = {"src/io/a.cpp": HEADER + "void f() { std::exit(1); }\n"}
        self.assertEqual(run("check_includes.py", files)[0], 1)

    def test_cuda_stays_in_its_folder(self):
        for name in ("cuda_runtime.h", "cub/cub.cuh", "cufft.h"):
            text = HEADER + f"#include <{name}>\n"
            self.assertEqual(run("check_includes.py", {"src/cpu/a.cpp": text})[0], 1)
            self.assertEqual(run("check_includes.py", {"cuda/a.cu": text})[0], 1)
            self.assertEqual(run("check_includes.py", {"cuda/fft.cu": text})[0], 0)

    def test_kernels_speak_no_cuda(self):
        code, output = run("check_includes.py", {"cuda/a.cu": HEADER + "void f() { __syncthreads(); }\n"})
        self.assertEqual(code, 1)
        self.assertIn("cuda/a.cu:3: __syncthreads stands only in", output)
        self.assertEqual(run("check_includes.py", {"cuda/a.cu": HEADER + "k<<<1, 32>>>();\n"})[0], 1)

    def test_what_plays_the_gpu_stays_in_its_folder(self):
        for name in ("boost/context/fiber.hpp", "omp.h", "fftw3.h"):
            files = {"cuda/host/a.cpp": HEADER + f"#include <{name}>\n"}
            self.assertEqual(run("check_includes.py", files)[0], 0)
            self.assertEqual(run("check_includes.py", {"cuda/a.cpp": HEADER + f"#include <{name}>\n"})[0], 1)
        switch = HEADER + "#if defined(NANODAY_CUDA_HOST)\n#endif\n"
        self.assertEqual(run("check_includes.py", {"cuda/a.hpp": switch})[0], 0)
        self.assertEqual(run("check_includes.py", {"src/md/a.hpp": switch})[0], 1)

    def test_an_unknown_folder_needs_a_rule(self):
        self.assertEqual(run("check_includes.py", {"src/misc/a.cpp": HEADER})[0], 1)

    def test_an_empty_tree_is_a_fault(self):
        self.assertEqual(run("check_includes.py", {})[0], 1)


class SizeCheck(unittest.TestCase):
    def test_a_clean_file_passes(self):
        self.assertEqual(run("check_sizes.py", {"src/a.cpp": HEADER + "int x;\n"})[0], 0)

    def test_columns_are_characters_not_bytes(self):
        self.assertEqual(run("check_sizes.py", {"src/a.cpp": HEADER + "// " + "Å" * 107 + "\n"})[0], 0)
        self.assertEqual(run("check_sizes.py", {"src/a.cpp": HEADER + "// " + "Å" * 108 + "\n"})[0], 1)

    def test_a_long_file_is_found(self):
        self.assertEqual(run("check_sizes.py", {"src/a.cpp": HEADER + "int x;\n" * 499})[0], 1)

    def test_a_missing_license_is_found(self):
        self.assertEqual(run("check_sizes.py", {"src/a.cpp": "// A file.\nint x;\n"})[0], 1)

    def test_a_header_without_guard_is_found(self):
        self.assertEqual(run("check_sizes.py", {"src/a.hpp": HEADER + "int x();\n"})[0], 1)


class HeaderCheck(unittest.TestCase):
    def test_a_header_that_relies_on_others_is_found(self):
        good = HEADER + "#pragma once\n#include <vector>\nstd::vector<int> f();\n"
        bad = HEADER + "#pragma once\nstd::vector<int> f();\n"
        self.assertEqual(run("check_headers.py", {"src/a.hpp": good})[0], 0)
        self.assertEqual(run("check_headers.py", {"src/a.hpp": bad})[0], 1)


class KernelSymbolsCheck(unittest.TestCase):
    def check(self, name, text):
        """Exit code and output for a library of one object compiled from `text`."""
        with tempfile.TemporaryDirectory() as folder:
            source, made = pathlib.Path(folder) / f"{name}.cpp", pathlib.Path(folder) / f"{name}.cpp.o"
            library = pathlib.Path(folder) / "kernels.a"
            source.write_text(text, encoding="utf-8")
            subprocess.run([os.environ.get("CXX", "c++"), "-c", "-o", made, source], check=True)
            subprocess.run([os.environ.get("AR", "ar"), "rcs", library, made], check=True)
            command = [sys.executable, str(SCRIPTS / "check_kernel_symbols.py"), "--nm",
                       os.environ.get("NM", "nm"), str(library)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            return result.returncode, result.stdout

    def test_kernels_of_their_own_namespace_pass(self):
        for isa in ("avx2", "sve512"):
            text = f"namespace cpu::{isa} {{ inline int f() {{ return 1; }} int g() {{ return f(); }} }}\n"
            self.assertEqual(self.check(f"mesh_kernels_{isa}", text)[0], 0)

    def test_shared_code_among_kernels_is_found(self):
        text = "inline int f() { return 1; }\nnamespace cpu::sve512 { int g() { return f(); } }\n"
        code, output = self.check("kernels_sve512", text)
        self.assertEqual(code, 1)
        self.assertIn("kernels_sve512.cpp.o: f()", output)
        self.assertEqual(self.check("kernels_avx2", text.replace("sve512", "avx2"))[0], 1)

    def test_a_library_without_kernels_is_a_fault(self):
        self.assertEqual(self.check("other", "inline int f() { return 1; }\nint g() { return f(); }\n")[0], 1)


if __name__ == "__main__":
    unittest.main()
