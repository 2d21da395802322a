#!/usr/bin/env python3
"""Compiles every source of cuda/ for sm_70 (V100) with CUDA 12. Needs no GPU.

CUDA 13 no longer knows sm_70. The Python package index has CUDA 12's headers, device library and
assembler (ptxas), though not its driver nvcc, so clang++ is the front end: it compiles the device half of
a file to sm_70 machine code through that ptxas, and the host half to an object. A CUDA 12 nvcc is used
instead when there is one (--nvcc, $CUDA12_HOME, or nvcc on the PATH).

Exit 0: everything compiles without a warning; 1: a file does not, and is named; 77: skipped, with the reason.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import concurrent.futures
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77  # what CTest counts as skipped
PACKAGES = {  # folder under nvidia/ -> distribution; 12.9 is the last CUDA 12
    "cuda_nvcc": "nvidia-cuda-nvcc-cu12==12.9.86",
    "cuda_runtime": "nvidia-cuda-runtime-cu12==12.9.79",
    "cuda_cccl": "nvidia-cuda-cccl-cu12==12.9.27",
    "nvtx": "nvidia-nvtx-cu12==12.9.79",
    "cufft": "nvidia-cufft-cu12==11.4.1.4",
}
CUBLAS = {"cublas": "nvidia-cublas-cu12==12.9.1.4"}  # large: fetched only when a source includes it
WARNINGS = ("-Wall", "-Wextra")
CLANG_FLAGS = (
    "-x", "cuda", "--cuda-gpu-arch=sm_70", "-Werror", "-Wno-unknown-cuda-version", "-Wno-pass-failed",
    "-Wno-unknown-attributes",  # __grid_constant__, which only saves a copy of the arguments
    # CUDA 12 dropped texture references, which clang before 16 still wraps: skip that header.
    "-D__CLANG_CUDA_TEXTURE_INTRINSICS_H__",
    "-DFMT_USE_FLOAT128=0",  # a type that the device side of clang lacks
    "-DCCCL_IGNORE_DEPRECATED_API",
    # As nvcc: CUB declares variadic functions for overload tests and never calls them.
    "-Xclang", "-fcuda-allow-variadic-functions",
)
# Included before everything. CUDA's macro __noinline__ breaks the standard library's attribute of that name;
# and clang has no device function for __int128 to double, which nvcc has: this one stands in, unrounded.
CLANG_HEADER = """\
#include <cuda_runtime.h>
#undef __noinline__
#ifdef __CUDA_ARCH__
extern "C" __device__ __attribute__((used)) inline double __floattidf(__int128 v) {
  return static_cast<double>(static_cast<long long>(v >> 64)) * 0x1p64 +
         static_cast<double>(static_cast<unsigned long long>(v));
}
#endif
"""
NVCC_FLAGS = ("-x", "cu", "-arch=sm_70", "--expt-relaxed-constexpr", "-Werror", "all-warnings",
              "-Wno-deprecated-gpu-targets")


class Skip(Exception):
    """Something this machine lacks; the check says so and is skipped."""


def sources(root):
    """Every .cu of cuda/, and its .cpp files except those of the stand-in for a GPU."""
    for path in sorted((root / "cuda").rglob("*")):
        if path.suffix in (".cu", ".cpp") and "host" not in path.relative_to(root / "cuda").parts[:-1]:
            yield path


def include_flags(root):
    return [f"-I{root}", f"-I{root / 'src'}", f"-I{root / 'comm'}"]


def cache_folder():
    caches = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    return pathlib.Path(os.environ.get("NANODAY_CUDA12") or caches / "nanoday-cuda12")


def install(packages, folder):
    """Installs the packages into a virtual environment and keeps what a compiler needs of them."""
    folder.mkdir(parents=True)
    pip = [str(folder / "venv/bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(folder / "venv")],
                    [*pip, "--no-deps", "--no-cache-dir", *packages.values()]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise Skip(f"CUDA 12 could not be installed from the package index ({' '.join(lines[-1:])})")
    site = next((folder / "venv").glob("lib/python*/site-packages/nvidia"))
    for name in packages:
        shutil.copytree(site / name / "include", folder / "include", dirs_exist_ok=True)
    for name in ("bin", "nvvm"):
        shutil.copytree(site / "cuda_nvcc" / name, folder / name)
    (folder / "bin/ptxas").chmod(0o755)
    (folder / "lib64").mkdir()
    (folder / "version.txt").write_text("CUDA Version 12.9.86\n", encoding="utf-8")
    shutil.rmtree(folder / "venv")  # the libraries in it are large and nobody links here


def toolkit(packages):
    """A folder laid out as a CUDA toolkit; made once, kept in the cache, named by what is in it."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    ready = cache / ("cuda-12.9-" + "-".join(sorted(packages)))
    with open(cache / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            print("installing CUDA 12's headers and assembler from the Python package index", flush=True)
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                fresh = pathlib.Path(scratch) / "toolkit"
                install(packages, fresh)
                fresh.rename(ready)
    return ready


def find_clang():
    names = [os.environ.get("CLANGXX", ""), *(f"clang++-{n}" for n in range(20, 13, -1)), "clang++"]
    for name in filter(None, names):
        path = shutil.which(name)
        if not path:
            continue
        version = subprocess.run([path, "-dumpversion"], capture_output=True, text=True, check=False).stdout
        if version and int(version.split(".")[0]) >= 14:
            return path
    raise Skip("there is no clang++ of version 14 or later (the front end); install clang or set CLANGXX")


def find_nvcc(given):
    """A CUDA 12 nvcc, or None. One that was asked for by name must be one."""
    home = os.environ.get("CUDA12_HOME")
    for path in (given, home and f"{home}/bin/nvcc", shutil.which("nvcc")):
        if not path:
            continue
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if re.search(r"release 12\.", done.stdout):
            return path
        if path == given:
            raise SystemExit(f"{path} is not a CUDA 12 compiler (sm_70 needs one); leave --nvcc out")
    return None


def commands_of(source, arguments, compiler, objects):
    """Commands that compile one file, each to an object in the given folder."""
    stem = objects / re.sub(r"\W", "_", str(source))
    common = ["-std=c++20", "-O3", *include_flags(arguments.root), "-c", str(source)]
    if source.suffix == ".cpp":  # host code: CUDA's headers only
        host = [compiler["host"], *WARNINGS, "-Werror", "-isystem", compiler["include"]]
        return [[*host, *common, "-o", f"{stem}.o"]]
    if compiler["nvcc"]:
        warnings = [f"-Xcompiler={flag}" for flag in WARNINGS]
        return [[compiler["nvcc"], *NVCC_FLAGS, *warnings, *common, "-o", f"{stem}.o"]]
    # Named as a system folder too, else another CUDA's headers in /usr/local/include come first.
    clang = [compiler["clang"], *CLANG_FLAGS, *WARNINGS, f"--cuda-path={compiler['toolkit']}",
             "-isystem", compiler["include"], "-include", str(objects / "clang.h"), *common]
    # The host half runs nowhere: not optimised.
    return [[*clang, "--cuda-device-only", "-o", f"{stem}.device.o"],
            [*clang, "--cuda-host-only", "-O0", "-o", f"{stem}.host.o"]]


def compile_source(source, arguments, compiler, objects):
    """(seconds, what the compiler says that should not be said)."""
    start, said = time.monotonic(), ""
    for command in commands_of(source, arguments, compiler, objects):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said += done.stderr + done.stdout
        if done.returncode != 0:
            said += f"{command[0]} ended with {done.returncode}\n"
            break
    return time.monotonic() - start, said


def choose_compiler(arguments, files):
    nvcc, host = find_nvcc(arguments.nvcc), os.environ.get("CXX", "g++")
    if nvcc:
        include = str(pathlib.Path(nvcc).resolve().parent.parent / "include")
        return {"nvcc": nvcc, "host": host, "include": include, "name": f"{nvcc} (CUDA 12)"}
    clang = find_clang()
    text = "".join(path.read_text(encoding="utf-8") for path in (arguments.root / "cuda").rglob("*.*")
                   if path.suffix in (".cu", ".cuh", ".hpp", ".cpp"))
    wanted = dict(PACKAGES, **(CUBLAS if re.search(r"#\s*include\s*<cublas", text) else {}))
    folder = toolkit(wanted)
    return {"nvcc": None, "clang": clang, "host": host, "toolkit": str(folder),
            "include": str(folder / "include"), "name": f"{clang} with CUDA 12.9"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="sources [every .cu and .cpp of cuda/]")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--nvcc", help="an nvcc of CUDA 12")
    arguments = parser.parse_args()
    arguments.root = arguments.root.resolve()
    return arguments


def main():
    arguments = parse_arguments()
    files = [path.resolve() for path in arguments.files] or list(sources(arguments.root))
    if not files:
        print(f"there are no CUDA sources in {arguments.root / 'cuda'} (nothing to compile)")
        return 1
    try:
        compiler = choose_compiler(arguments, files)
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    print(f"sm_70 with {compiler['name']}", flush=True)
    failed = 0
    pool = concurrent.futures.ThreadPoolExecutor(arguments.jobs)
    with tempfile.TemporaryDirectory() as scratch, pool:
        (pathlib.Path(scratch) / "clang.h").write_text(CLANG_HEADER, encoding="utf-8")
        tasks = {pool.submit(compile_source, path, arguments, compiler, pathlib.Path(scratch)): path
                 for path in files}
        for task in concurrent.futures.as_completed(tasks):
            path, (seconds, said) = tasks[task], task.result()
            name = path.relative_to(arguments.root) if path.is_relative_to(arguments.root) else path
            print(f"{'failed' if said else 'fine':<7} {seconds:6.1f} s  {name}", flush=True)
            if said:
                failed += 1
                print(f"{name} does not compile cleanly for sm_70:\n{said}", flush=True)
    print(f"{len(files)} files, {failed} problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
