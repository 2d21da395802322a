#!/usr/bin/env python3
"""Counts single tests: GoogleTest cases where a program wrote them, whole CTest tests otherwise."""
# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys
import xml.etree.ElementTree as ET


def cases_of(path):
    """(passed, failed, [(name, reason) of the skipped]) of one GoogleTest result file."""
    passed, failed, skipped = 0, 0, []
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("status") == "notrun":
            skipped.append((name, "disabled"))
        elif case.find("failure") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            reason = case.find("skipped")
            skipped.append((name, reason.get("message", "") if reason is not None else ""))
        else:
            passed += 1
    return passed, failed, skipped


def count(folder):
    """(passed, failed, skipped) of one folder of results, or None when nothing was written there."""
    junit = folder / "ctest.junit"
    if not junit.exists():
        return None
    passed, failed, skipped = 0, 0, []
    for test in ET.parse(junit).getroot().iter("testcase"):
        name, status = test.get("name"), test.get("status")
        results = folder / f"{name}_test.xml"
        if results.exists():
            more_passed, more_failed, more_skipped = cases_of(results)
            passed, skipped = passed + more_passed, skipped + more_skipped
            # A program that failed without a failed case died after its tests.
            failed += max(more_failed, 1 if status == "fail" else 0)
        elif status == "run":
            passed += 1
        elif status == "fail":
            failed += 1
        else:
            skipped.append((name, status))
    return passed, failed, skipped


def main(parts):
    """Each part is a folder of results, or "skipped:NAME:REASON" or "failed:NAME:REASON" for a stage."""
    passed, failed, skipped = 0, 0, []
    for part in parts:
        if part.startswith("skipped:"):
            skipped.append(tuple(part.split(":", 2)[1:]))
            continue
        if part.startswith("failed:"):
            print(part)
            failed += 1
            continue
        counted = count(pathlib.Path(part))
        if counted is None:
            print(f"no test results were written to {part}", file=sys.stderr)
            return 1
        passed, failed, skipped = passed + counted[0], failed + counted[1], skipped + counted[2]
    for name, reason in skipped:
        print(f"skipped: {name}: {' '.join(reason.split())}")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
