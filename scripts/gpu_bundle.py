#!/usr/bin/env python3
"""Packs the host libraries nanoday needs, for a machine that has compilers but no packages; and unpacks them.

  scripts/gpu_bundle.py make FILE.tar.xz      on a machine where scripts/build works (Debian 12, Ubuntu 24.04)
  scripts/gpu_bundle.py unpack FILE.tar.xz FOLDER
  cmake -C FOLDER/bundle.cmake …              finds everything in the bundle

Libraries go in as static archives, fmt as a shared one (its packages hold no other); of Boost only what
fibers include. protoc travels with the shared libraries it needs.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

LIMIT = 32 << 20  # bytes of a bundle; machines are lent that take a working tree of 64 MiB at most
COMPILER = "g++"
HEADERS = ("fmt", "CLI", "toml++", "nlohmann", "google/protobuf", "gtest", "fftw3.h")
ARCHIVES = ("protobuf-lite", "fftw3", "openblas", "gfortran", "quadmath", "gtest", "gtest_main",
            "boost_context")
FIBERS = "#include <boost/context/fiber.hpp>\n#include <boost/context/protected_fixedsize_stack.hpp>\n"

# What find_package() reads there: the project's targets on the bundle's files. `here` is the bundle's folder.
CACHE = """\
# Initial cache for cmake -C: every library of this bundle.
set(here ${CMAKE_CURRENT_LIST_DIR})
set(CMAKE_MODULE_PATH ${here}/cmake CACHE STRING "")
set(CMAKE_PREFIX_PATH ${here} CACHE STRING "")
set(NANODAY_FFTW ${here}/lib/libfftw3.a CACHE FILEPATH "")
set(NANODAY_FFTW_INCLUDE ${here}/include CACHE PATH "")
set(Protobuf_LIBRARY ${here}/lib/libprotobuf-lite.a CACHE FILEPATH "")
set(Protobuf_LITE_LIBRARY ${here}/lib/libprotobuf-lite.a CACHE FILEPATH "")
set(Protobuf_INCLUDE_DIR ${here}/include CACHE PATH "")
set(Protobuf_PROTOC_EXECUTABLE ${here}/bin/protoc CACHE FILEPATH "")
"""
HEADER_ONLY = """\
if(NOT TARGET {target})
  add_library({target} INTERFACE IMPORTED)
  target_include_directories({target} INTERFACE ${{CMAKE_CURRENT_LIST_DIR}}/../include)
  target_compile_definitions({target} INTERFACE {definitions})
endif()
"""
STATIC = """\
if(NOT TARGET {target})
  find_package(Threads REQUIRED)
  add_library({target} INTERFACE IMPORTED)
  target_include_directories({target} INTERFACE ${{CMAKE_CURRENT_LIST_DIR}}/../include)
  target_link_libraries({target} INTERFACE {libraries} Threads::Threads)
endif()
"""
SHARED_FMT = """\
if(NOT TARGET fmt::fmt)
  add_library(fmt::fmt SHARED IMPORTED)
  set_target_properties(fmt::fmt PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_CURRENT_LIST_DIR}/../include
    INTERFACE_COMPILE_DEFINITIONS FMT_SHARED IMPORTED_LOCATION ${CMAKE_CURRENT_LIST_DIR}/../lib/libfmt.so)
endif()
set(fmt_FOUND TRUE)
"""
PROTOC = """\
#!/bin/sh
# protoc beside its own libraries.
here=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$here/../lib/protoc exec "$here/protoc.bin" "$@"
"""


def modules():
    """{file name: text} of the Find….cmake files."""
    def header_only(name, target, definitions=""):
        text = HEADER_ONLY.format(target=target, definitions=definitions)
        return {f"Find{name}.cmake": text + f"set({name}_FOUND TRUE)\n"}

    def static(name, targets):
        at = "${CMAKE_CURRENT_LIST_DIR}/../lib/lib"
        text = ""
        for target, libraries in targets.items():
            files = " ".join(x if x.startswith("-") else f"{at}{x}.a" for x in libraries)
            text += STATIC.format(target=target, libraries=files)
        return {f"Find{name}.cmake": text + f"set({name}_FOUND TRUE)\n"}

    return {
        "Findfmt.cmake": SHARED_FMT,
        **header_only("CLI11", "CLI11::CLI11"),
        **header_only("tomlplusplus", "tomlplusplus::tomlplusplus", "TOML_HEADER_ONLY=1"),
        **header_only("nlohmann_json", "nlohmann_json::nlohmann_json"),
        **static("LAPACK", {"LAPACK::LAPACK": ["openblas", "gfortran", "quadmath", "-lm"]}),
        **static("GTest", {"GTest::gtest": ["gtest"], "GTest::gtest_main": ["gtest_main", "gtest"]}),
        **static("Boost", {"Boost::context": ["boost_context"], "Boost::headers": []}),
    }


def run(*command, given=None):
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip()[-400:]
        raise SystemExit(f"{command[0]} failed ({words}); scripts/build says what is missing")
    return done.stdout


def archive_path(name):
    found = pathlib.Path(run(COMPILER, f"-print-file-name=lib{name}.a").strip())
    if not found.is_absolute():
        raise SystemExit(f"lib{name}.a was not found (the bundle is static); install its -dev package")
    return found.resolve()


def headers():
    """(file, its place below include/) of everything sources may include."""
    for name in HEADERS:
        top = pathlib.Path("/usr/include") / name
        if not top.exists():
            raise SystemExit(f"{top} is not there (the bundle needs it); scripts/build installs it")
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            # Compiler plug-ins of protobuf are for code generators.
            if path.is_file() and "compiler" not in path.parts:
                yield path, path.relative_to("/usr/include")
    for word in run(COMPILER, "-std=c++20", "-M", "-x", "c++", "-", given=FIBERS).split():
        if "/boost/" in word:
            yield pathlib.Path(word), pathlib.Path("boost") / word.split("/boost/", 1)[1]


def shared_libraries(program):
    """Shared libraries of a program that another system may lack or have in another version."""
    for name, path in re.findall(r"(\S+) => (/\S+)", run("ldd", str(program))):
        if re.match(r"lib(protoc|protobuf|z)\.so", name):
            yield name, pathlib.Path(path).resolve()


def collect(folder):
    """Lays the bundle out in a folder."""
    for path, place in headers():
        target = folder / "include" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "lib/protoc").mkdir(parents=True)
    for name in ARCHIVES:
        shutil.copyfile(archive_path(name), folder / f"lib/lib{name}.a")
    protoc = shutil.which("protoc")
    if not protoc:
        raise SystemExit("protoc was not found (the bundle needs it); scripts/build installs it")
    fmt = run(COMPILER, "-print-file-name=libfmt.so").strip()
    soname = re.search(r"SONAME.*\[(.+)\]", run("readelf", "-d", fmt))[1]
    shutil.copyfile(pathlib.Path(fmt).resolve(), folder / "lib" / soname)
    (folder / "lib/libfmt.so").symlink_to(soname)
    for name, path in shared_libraries(protoc):
        shutil.copyfile(path, folder / "lib/protoc" / name)
    (folder / "bin").mkdir()
    shutil.copy(protoc, folder / "bin/protoc.bin")
    (folder / "bin/protoc").write_text(PROTOC, encoding="utf-8")
    (folder / "bin/protoc").chmod(0o755)
    (folder / "cmake").mkdir()
    for name, text in modules().items():
        (folder / "cmake" / name).write_text(text, encoding="utf-8")
    (folder / "bundle.cmake").write_text(CACHE, encoding="utf-8")


def make(file):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        collect(folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:xz", preset=4) as tar:
            for top in sorted(folder.iterdir()):
                tar.add(top, arcname=top.name)
        size = packed.tell()
        if size > LIMIT:
            raise SystemExit(f"the bundle has {size >> 20} MiB (at most {LIMIT >> 20} can travel); "
                             "leave something out")
        file.write_bytes(packed.getvalue())
    print(f"{file}: {size / 2**20:.1f} MiB")


def unpack(file, folder):
    """Unpacks into a folder, once: a bundle that has not changed since is not unpacked again."""
    stamp = folder / ".stamp"
    state = f"{file.stat().st_size} {file.stat().st_mtime_ns}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(file, "r:xz") as tar:
        tar.extractall(folder)
    stamp.write_text(state, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("make").add_argument("file", type=pathlib.Path)
    unpacking = commands.add_parser("unpack")
    unpacking.add_argument("file", type=pathlib.Path)
    unpacking.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.command == "make":
        make(arguments.file)
    else:
        unpack(arguments.file, arguments.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
