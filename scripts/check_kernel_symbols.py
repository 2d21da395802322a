#!/usr/bin/env python3
"""Kernels compiled for wide vectors must not define shared symbols of other code.

A weak symbol (an inline function of the standard library, say) compiled with AVX-512 or SVE could be the copy
the linker keeps, and crash a machine without it. Usage: check_kernel_symbols.py [--nm NM] LIBRARY...
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import re
import subprocess
import sys


def check(nm, library):
    """(how many objects hold kernels, faults) of a static library."""
    listing = subprocess.run([nm, "-C", library], capture_output=True, text=True, check=True).stdout
    member, isa, faults, kernels = "", "", [], 0
    for line in listing.splitlines():
        if line.endswith((".o:", ".obj:")):
            member = line[:-1]
            found = re.search(r"kernels_(avx2|avx512|sve\d+|generic)\.", member)
            isa = found.group(1) if found else ""
            kernels += bool(isa)
            continue
        symbol = re.match(r"[0-9a-f]+ ([WVu]) (.*)", line)
        if isa and symbol and f"cpu::{isa}::" not in symbol.group(2):
            faults.append(f"{member}: {symbol.group(2)}")
    if kernels == 0:
        faults.append(f"{library}: no object of kernels for wide vectors is in it; this check looks for "
                      "kernels_<set>.*.o")
    return kernels, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nm", default="nm", help="the nm of the compiler's toolchain")
    parser.add_argument("libraries", nargs="+")
    given = parser.parse_args()
    results = [check(given.nm, library) for library in given.libraries]
    faults = [fault for _, of_library in results for fault in of_library]
    for fault in faults:
        print(fault)
    print(f"{sum(kernels for kernels, _ in results)} kernel objects, {len(faults)} faults")
    return 1 if faults else 0


sys.exit(main())
