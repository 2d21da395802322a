"""The tables of benchmarks/README.md that scripts/sve_report writes, from benchmarks/sve.json."""
# SPDX-License-Identifier: Apache-2.0
from sve_products import ATOMS, DEPTHS, PRECISIONS
from sve_steps import WAYS

FITTING_TANH = 3 * 240  # tanh that a fitting net of three times 240 takes per atom
EMBEDDING_TANH = 32 + 64 + 128  # … and an embedding net of the shipped models per neighbor


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def number(x):
    return f"{x:.1e}" if x else "0"


def of_system(name, measured):
    ways = {way: measured["ways"][way] for way in WAYS if way in measured["ways"]}
    padded_net = ways["net"]["per_atom_padded"] if "net" in ways else None
    rows = []
    for way, row in ways.items():
        fewer = f"{padded_net / row['per_atom']:.1f}×" if padded_net else ""
        rows.append((WAYS[way].title, f"{row['per_atom']:,.0f}", f"{row['per_neighbor']:,.0f}",
                     f"{row['per_atom_padded']:,.0f}", fewer,
                     f"{number(row['error']['rms'])}, {number(row['error']['max'])}"))
    title = (f"{name}: {measured['atoms']} atoms, {measured['neighbors_per_atom']:.1f} neighbors each, "
             f"sel {measured['sel']}")
    return f"{title}\n\n" + table(("", "instructions per atom", "per neighbor", "padded, per atom",
                                   "fewer than the padded net", "force error rms, max, eV/Å"), rows)


def share_of_products(measured, way):
    row = measured["ways"][way]
    products = sum(count for stage, count in row["stages_per_atom"].items() if stage.startswith("products"))
    return f"{100 * products / row['per_atom']:.0f} %"


def papers_steps(result):
    """The papers' steps one after another. What was not built is calculated: lists padded to sel repeat the
    net or table for each entry that is no neighbor, and every tanh costs the C library's instructions."""
    needed = ("net", "quintic", "lowrank", "lowrank-mixed")
    systems = result["steps"].values()
    if "tanh" not in result or any(way not in row["ways"] for row in systems for way in needed):
        return "These are not all measured."
    tanh_by = {way: result["tanh"][f"{way}-double"]["instructions"] for way in ("kernel", "libm")}
    by_library = tanh_by["libm"] - tanh_by["kernel"]
    parts = []
    for name, measured in result["steps"].items():
        ways, neighbors, sel = measured["ways"], measured["neighbors_per_atom"], measured["sel"]
        net, quintic = ways["net"], ways["quintic"]
        # A neighbor's share of what is calculated: the embedding's tanh; padding, spread over real neighbors.
        padding = {way: (row["per_atom_padded"] - row["per_atom"]) / neighbors
                   for way, row in (("net", net), ("quintic", quintic))}
        own = EMBEDDING_TANH * by_library
        steps = [("baseline: net, lists padded to sel, C library's tanh",
                  net["per_atom_padded"] + (FITTING_TANH + EMBEDDING_TANH * sel) * by_library,
                  net["per_neighbor"] + padding["net"] + own * sel / neighbors),
                 ("tabulated (quintic)", quintic["per_atom_padded"] + FITTING_TANH * by_library,
                  quintic["per_neighbor"] + padding["quintic"]),
                 ("no padding", quintic["per_atom"] + FITTING_TANH * by_library, quintic["per_neighbor"]),
                 ("these kernels' tanh", quintic["per_atom"], quintic["per_neighbor"]),
                 ("low rank", ways["lowrank"]["per_atom"], ways["lowrank"]["per_neighbor"]),
                 ("mixed precision", ways["lowrank-mixed"]["per_atom"],
                  ways["lowrank-mixed"]["per_neighbor"])]
        rows = [(title, f"{atom:,.0f}", f"{neighbor:,.0f}", f"{steps[0][1] / atom:,.1f}×")
                for title, atom, neighbor in steps]
        parts.append(table((name, "instructions per atom", "per neighbor", "fewer than the baseline"), rows))
    return "\n\n".join(parts)


def steps(result):
    systems = result["steps"]
    text = papers_steps(result) + "\n\nAll ways to evaluate the nets:\n\n"
    text += "\n\n".join(of_system(name, measured) for name, measured in systems.items())
    ways = systems.get("water", {}).get("ways", {})
    if "lowrank" in ways and "lowrank-mixed" in ways:
        double, mixed = (share_of_products(systems["water"], way) for way in ("lowrank", "lowrank-mixed"))
        text += ("\n\nOf an atom of water in double with low-rank tables the products of the fitting net "
                 f"take {double}, in\nmixed precision {mixed}.")
    return text


def half(result):
    rows = [(WAYS[way].title, *(f"{number(row[of]['rms'])}, {number(row[of]['max'])}"
                               for of in ("of_plan", "of_structure"))) for way, row in result["half"].items()]
    return table(("water, force error rms, max, eV/Å", "measured by the program", "on the structure"), rows)


TANH_TITLES = {"kernel": "these kernels (table; exponential)", "inherited": "polynomial of `src/cpu`",
               "libm": "C library"}


def tanh(result):
    measured = result["tanh"]
    rows = []
    for way, title in TANH_TITLES.items():
        single, double = measured[f"{way}-float"], measured[f"{way}-double"]
        # The C library in double is what errors are measured against.
        rows.append((title, f"{single['instructions']:.2f}", f"{single['error']:.1e}",
                     f"{double['instructions']:.2f}", f"{double['error']:.1e}" if way != "libm" else ""))
    text = table(("tanh, instructions per value", "single", "error", "double", "error"), rows)
    by_library = FITTING_TANH * measured["libm-double"]["instructions"]
    text += (f"\n\nA fitting net of three times 240 takes {FITTING_TANH} of them per atom: with the C "
             f"library's they would cost\n{by_library:,.0f} instructions")
    way = result.get("steps", {}).get("water", {}).get("ways", {}).get("lowrank")
    if way:
        text += f", {by_library / way['per_atom']:.1f} times all of a low-rank step of water in double"
    return text + "."


PRODUCT_TITLES = {"kernels": "these kernels", "openblas_a64fx": "OpenBLAS 0.3.31",
                  "openblas_debian": "OpenBLAS 0.3.21"}


def of_depths(rows, atoms):
    values = [rows[str(depth)][str(atoms)]["instructions"] for depth in DEPTHS]
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} … {high}"


def largest_error(of_precision):
    return max(row["error"] for rows in of_precision.values() for row in rows.values())


def products(result):
    measured = result["products"]
    head = ["atoms"]
    for precision in PRECISIONS:
        head += [f"{precision}: {PRODUCT_TITLES[name]}" for name in measured]
    rows = [(str(atoms), *(of_depths(library[precision], atoms) for precision in PRECISIONS
                           for library in measured.values())) for atoms in ATOMS]
    most = [(f"{PRODUCT_TITLES[name]} ({library['core'].upper()})",
             *(number(largest_error(library[precision])) for precision in PRECISIONS),
             *(", ".join(map(str, library["same_bits"][precision])) for precision in PRECISIONS))
            for name, library in measured.items()]
    return (table(head, rows) + "\n\n"
            + table(("largest error over Σ\\|wx\\|", "double", "single",
                     "atoms with the same bits, double", "single"), most))


def loops(result):
    rows = [(name.replace("_", " "), str(row["instructions"]), f"{row['cycles']:.1f}",
             f"{row['issue'] * 100:.0f} %", row["bound"]) for name, row in result["loops"].items()]
    return table(("loop", "instructions", "cycles", "share", "bound by"), rows)


TABLES = {"steps": steps, "half": half, "tanh": tanh, "products": products, "loops": loops}


def marks(part):
    return (f"<!-- sve tables, {part}: written by scripts/sve_report -->",
            f"<!-- end of sve tables, {part} -->")


def put(readme, part, text):
    """README.md with the table of a part between its marks, which must be there."""
    begin, end = marks(part)
    if readme.count(begin) != 1 or readme.count(end) != 1 or readme.index(begin) > readme.index(end):
        raise SystemExit(f"sve_report: benchmarks/README.md has not the marks of the part {part} (the table "
                         f"would have no place); put these two lines into it:\n{begin}\n{end}")
    head, rest = readme.split(begin)
    return f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}"
