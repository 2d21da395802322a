#!/usr/bin/env python3
"""Kernels compiled for wide vectors must not define shared symbols of other code.

A weak symbol (an inline function of the standard library, say) compiled with AVX-512 could be the copy the
linker keeps, and crash a machine without it. Usage: check_kernel_symbols.py LIBRARY...
"""
# SPDX-License-Identifier: Apache-2.0
import re
import subprocess
import sys


def main():
    listing = subprocess.run(["nm", "-C", *sys.argv[1:]], capture_output=True, text=True, check=True).stdout
    member, isa, faults, kernels = "", "", [], 0
    for line in listing.splitlines():
        if line.endswith(".o:"):
            member = line[:-1]
            found = re.search(r"kernels_(avx2|avx512|sve\d+|generic)\.", member)
            isa = found.group(1) if found else ""
            kernels += bool(isa)
            continue
        symbol = re.match(r"[0-9a-f]+ ([WVu]) (.*)", line)
        if isa and symbol and f"cpu::{isa}::" not in symbol.group(2):
            faults.append(f"{member}: {symbol.group(2)}")
    for fault in faults:
        print(fault)
    print(f"{kernels} kernel objects, {len(faults)} foreign weak symbols")
    return 1 if faults else 0


sys.exit(main())
