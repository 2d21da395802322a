# Draws g(r) of two programs with the noise of one run as an SVG, one panel for each pair of elements.
# SPDX-License-Identifier: Apache-2.0
WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 720, 190, 58, 18, 46, 22
R_MAX, Y_TOPS = 6.2, {"O-O": 4.0, "O-H": 2.4, "H-H": 3.0}
BOND_NOTE = {"O-H": "bonds leave the frame at 0.97 Å", "O-O": "", "H-H": ""}
BLUE, BAND, ORANGE, GREY = "#1f5fa8", "#bcd3ee", "#e0701a", "#555"


def scale(r, g, pair, y0):
    """Pixel of (r, g) in the panel whose lower edge is at y0; g is cut at the panel's top."""
    x = LEFT + r / R_MAX * (WIDTH - LEFT - RIGHT)
    return f"{x:.1f},{y0 - min(max(g, 0), Y_TOPS[pair]) / Y_TOPS[pair] * PANEL:.1f}"


def text(x, y, words, anchor="start", color="#222"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{color}">{words}</text>'


def axes(pair, y0, last):
    """Frame, ticks and labels of one panel."""
    right = WIDTH - RIGHT
    parts = [f'<rect x="{LEFT}" y="{y0 - PANEL}" width="{right - LEFT}" height="{PANEL}" fill="none" '
             f'stroke="{GREY}"/>']
    for level in range(int(Y_TOPS[pair]) + 1):
        y = float(scale(0, level, pair, y0).split(",")[1])
        parts.append(f'<line x1="{LEFT - 5}" x2="{LEFT}" y1="{y}" y2="{y}" stroke="{GREY}"/>')
        parts.append(text(LEFT - 9, y + 4, level, "end"))
    for length in range(int(R_MAX) + 1):
        x = float(scale(length, 0, pair, y0).split(",")[0])
        parts.append(f'<line x1="{x}" x2="{x}" y1="{y0}" y2="{y0 + 5}" stroke="{GREY}"/>')
        if last:
            parts.append(text(x, y0 + 19, length, "middle"))
    parts.append(text(right - 10, y0 - PANEL + 18, f"g(r) {pair}", "end"))
    parts.append(text(right - 10, y0 - PANEL + 35, BOND_NOTE[pair], "end", GREY))
    return parts


def curve(points, color, style=""):
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{color}" stroke-width="1.6" {style}/>'


def panel(result, pair, y0, last):
    """The band of mean ± 2 noise of one run, the mean and LAMMPS's curve, with axes."""
    r, curves = result["r_A"], result["g"][pair]
    mean, noise = curves["nanoday_mean"], curves["noise_of_one_run"]
    inside = [k for k in range(len(r)) if r[k] < R_MAX]
    upper = [scale(r[k], mean[k] + 2 * noise[k], pair, y0) for k in inside]
    lower = [scale(r[k], mean[k] - 2 * noise[k], pair, y0) for k in reversed(inside)]
    return [f'<polygon points="{" ".join(upper + lower)}" fill="{BAND}"/>',
            curve([scale(r[k], mean[k], pair, y0) for k in inside], BLUE),
            curve([scale(r[k], curves["lammps"][k], pair, y0) for k in inside], ORANGE,
                  'stroke-dasharray="5 3"')] + axes(pair, y0, last)


def legend(result):
    """One line of words over the panels with a sample of each line."""
    runs, length = result["nanoday_runs"], result["counted_ps"]
    entries = [(LEFT, f'<rect x="{LEFT}" y="14" width="26" height="12" fill="{BAND}"/><line x1="{LEFT}" '
                f'x2="{LEFT + 26}" y1="20" y2="20" stroke="{BLUE}" stroke-width="1.6"/>',
                f"nanoday, mean of {runs} runs of {length:g} ps; band: ± 2 σ of one run"),
               (470, f'<line x1="470" x2="496" y1="20" y2="20" stroke="{ORANGE}" stroke-width="1.6" '
                'stroke-dasharray="5 3"/>', f"LAMMPS + DeePMD-kit, {result['lammps_runs']} runs")]
    return [sample + text(x + 32, 24, words) for x, sample, words in entries]


def draw(result, pairs):
    """The whole figure as SVG text."""
    height = TOP + len(pairs) * (PANEL + GAP) + 28
    parts = legend(result)
    for k, pair in enumerate(pairs):
        parts += panel(result, pair, TOP + k * (PANEL + GAP) + PANEL, k == len(pairs) - 1)
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, height - 10, "r [Å]", "middle"))
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')
