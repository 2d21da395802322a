"""How busy the inner loops of the SVE kernels keep A64FX's multiply-add pipes, by llvm-mca's model of it."""
# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
ITERATIONS = 100
GOAL = 0.7  # of what the two pipes can issue
PIPES = ("A64FXIPFLA", "A64FXIPFLB")
ADDRESSES = ("A64FXIPEAGA", "A64FXIPEAGB")  # of loads and stores
DECODED = 4  # instructions per cycle that A64FX decodes; llvm-mca's model has 6

# What a multiply-add pipe computes: the issue slots a multiply-add could have used.
ARITHMETIC = re.compile(r"f(n?m(la|ls|ad|sb|add|sub)|add|sub|subr|mul|nmul|recps|rsqrts)$")
BRANCH = re.compile(r"(b|b\.?[a-z]{2,5}|cbn?z|tbn?z)$")
LABEL = re.compile(r"(\.L\w+):")
FLOAT_REGISTER = re.compile(r"\b[vzdsqh]\d+\b")


def compile_command(build, source):
    """The command by which a cross build compiles the first file whose path ends in `source`."""
    made = subprocess.run(["ninja", "-C", build, "-t", "compdb"], capture_output=True, text=True, check=True)
    for entry in json.loads(made.stdout):
        if entry["file"].endswith(source) and " -c " in entry["command"]:
            return entry
    raise SystemExit(f"{build} does not compile {source}; configure it first: cmake --preset sve")


def compiler_words(entry):
    """The compiler and its flags from a compile command, without what is compiled to what."""
    words = shlex.split(entry["command"])
    words = words[next(i for i, word in enumerate(words) if "g++" in word or "clang++" in word):]
    kept = []
    skip = False
    for word in words:
        if not skip and word not in ("-c", "-MD", "-o", "-MF", "-MT", entry["file"]):
            kept.append(word)
        skip = word in ("-o", "-MF", "-MT")
    return kept


def assembly(build, like, source, output, *options):
    """Compiles `source` to assembly with the flags by which the build compiles `like`, and `options`."""
    entry = compile_command(build, like)
    subprocess.run([*compiler_words(entry), *options, "-S", "-o", output, source], cwd=entry["directory"],
                   check=True)
    return pathlib.Path(output).read_text(encoding="utf-8")


def functions(text):
    """Name → lines (labels and instructions) of every function of a GCC assembly file."""
    found, name = {}, None
    for line in text.splitlines():
        start = re.match(r"([A-Za-z_]\w*):", line)
        if start:
            name = start[1]
            found[name] = []
        elif re.match(r"\t\.size\t", line):
            name = None
        elif name and (LABEL.match(line) or (line.startswith("\t") and not line.startswith("\t."))):
            found[name].append(line.strip().split("//")[0].strip())
    return found


def innermost_loops(lines):
    """Runs of lines from a label to a jump back to it, without another such run inside; those with a return
    inside, which lay out more than the loop, only where there are no others."""
    label = {LABEL.match(line)[1]: i for i, line in enumerate(lines) if LABEL.match(line)}
    runs = []
    for i, line in enumerate(lines):
        words = re.split(r"[\s,]+", line)
        if BRANCH.match(words[0]) and words[-1] in label and label[words[-1]] < i:
            runs.append((label[words[-1]], i))
    inner = [r for r in runs if not any(r[0] <= o[0] and o[1] <= r[1] and o != r for o in runs)]
    inner = [r for r in inner if "ret" not in lines[r[0]:r[1]]] or inner
    return [[line for line in lines[first:last + 1] if not LABEL.match(line)] for first, last in inner]


def is_arithmetic(line):
    words = line.split()
    return bool(ARITHMETIC.match(words[0])) and bool(FLOAT_REGISTER.search(line))


def main_loop(lines):
    """The innermost loop with most floating-point arithmetic (of equals the longest), without its labels."""
    loops = innermost_loops(lines)
    if not loops:
        raise ValueError("there is no loop")
    return max(loops, key=lambda run: (sum(map(is_arithmetic, run)), len(run)))


def for_model(run):
    """A loop as llvm-mca 14 reads it without errors of its own.

    It takes the zero register for an ordinary one, so that all that reads it waits for the last comparison,
    which "writes" it: comparisons write another register here, one that the loop does not use. It knows no
    fmsb of SVE: fmad takes as long.
    """
    text = "\n".join(run)
    free = next(n for n in range(30, -1, -1) if not re.search(rf"\b[xw]{n}\b", text))
    lines = []
    for line in run:
        line = re.sub(r"[.]L[A-Za-z0-9_]+", "loop", line)
        line = re.sub(r"^cmp\t([xw])", rf"subs\t\g<1>{free}, \1", line)
        lines.append(re.sub(r"^fmsb\tz", "fmad\tz", line))
    return lines


def mca(run, iterations):
    code = "loop:\n" + "".join(f"\t{line}\n" for line in for_model(run))
    done = subprocess.run(["llvm-mca", "-mtriple=aarch64-linux-gnu", "-mcpu=a64fx", "-json",
                           f"-iterations={iterations}"],
                          input=code, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"llvm-mca cannot read a loop:\n{done.stderr}")
    return json.loads(done.stdout)


def simulate(run):
    """Cycles of one iteration in steady state, and how busy each unit is."""
    report = mca(run, ITERATIONS)
    region = report["CodeRegions"][0]
    # A second run of twice the length: the difference has neither start nor end in it.
    longer = mca(run, 2 * ITERATIONS)["CodeRegions"][0]
    cycles = (longer["SummaryView"]["TotalCycles"] - region["SummaryView"]["TotalCycles"]) / ITERATIONS
    names = report["TargetInfo"]["Resources"]
    total = {name: 0.0 for name in names}
    last = len(region["Instructions"])  # entries behind the last instruction are sums over all
    for entry in region["ResourcePressureView"]["ResourcePressureInfo"]:
        if entry["InstructionIndex"] == last:
            total[names[entry["ResourceIndex"]]] += entry["ResourceUsage"]
    return cycles, {name: usage / cycles for name, usage in total.items()}


def bound_by(row):
    """What keeps the loop from more: the busiest unit, or the wait for results."""
    shares = {"multiply-add pipes": row["issue"], "other work of these pipes": row["pipes"],
              "loads and stores": row["memory"], "decoding": row["instructions"] / (DECODED * row["cycles"])}
    name, most = max(shares.items(), key=lambda item: item[1])
    return name if most > 0.88 else "latency"


def measure(lines):
    """One row of the report."""
    run = main_loop(lines)
    cycles, busy = simulate(run)
    arithmetic = sum(map(is_arithmetic, run))
    row = {"instructions": len(run), "arithmetic": arithmetic, "cycles": round(cycles, 1),
           "issue": round(arithmetic / (2 * cycles), 3),
           "pipes": round(sum(busy.get(p, 0) for p in PIPES) / 2, 3),
           "memory": round(sum(busy.get(p, 0) for p in ADDRESSES) / 2, 3)}
    row["bound"] = bound_by(row)
    return row


def of_kernels(build, folder):
    """A row for every loop of tests/bench/sve_loops.cpp, in its order."""
    source = ROOT / "tests" / "bench" / "sve_loops.cpp"
    text = assembly(build, "kernels_sve512.cpp", source, folder / "loops.s")
    return {name: measure(lines) for name, lines in functions(text).items() if not name.startswith("_Z")}


def of_reduction_fft(build, folder):
    """The loop of the reduction FFT, which the compiler makes SVE of where the whole program is for A64FX."""
    source = ROOT / "comm" / "reduction_stage.cpp"
    text = assembly(build, "reduction_stage.cpp", source, folder / "reduction.s", "-mcpu=a64fx")
    of_function = [lines for name, lines in functions(text).items() if "partial_transform" in name]
    return {"reduction_fft_partial": measure(of_function[0])}
