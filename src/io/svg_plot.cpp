// Small line plots and bar charts as SVG text: axes with round ticks, units, legend.
// SPDX-License-Identifier: Apache-2.0
#include "io/svg_plot.hpp"

#include "io/plot_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace nanoday {
namespace {

constexpr double k_width = 560, k_height = 320;  // of the drawing, in its own units
constexpr double k_digit = 6.7;                  // width of a digit of the tick labels (12 px sans serif)
constexpr int k_colors = 6;

/// Where the curves go: the drawing less its margins.
struct Area {
  double left = 0, top = 0, right = 0, bottom = 0;
  double x(const Axis& axis, double value) const { return left + axis.fraction(value) * (right - left); }
  double y(const Axis& axis, double value) const { return bottom - axis.fraction(value) * (bottom - top); }
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  bool empty() const { return !(low <= high); }
  void reach(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// Characters a reader sees: UTF-8 continuation bytes do not count.
std::size_t glyphs(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool drawable(const PlotLine& line, std::size_t i) {
  return std::isfinite(line.x[i]) && std::isfinite(line.y[i]);
}

/// Indices worth drawing: first, last, lowest and highest point of every half unit along x. The picture
/// is that of all points, the file stays small for a long run.
std::vector<std::size_t> thinned(const PlotLine& line, const Axis& x_axis) {
  const std::size_t n = std::min(line.x.size(), line.y.size());
  std::vector<std::size_t> keep;
  std::size_t begin = 0;
  const auto column = [&](std::size_t i) { return std::floor(2 * k_width * x_axis.fraction(line.x[i])); };
  while (begin < n) {
    std::size_t end = begin + 1, low = begin, high = begin;
    while (end < n && drawable(line, begin) && drawable(line, end) && column(end) == column(begin)) {
      if (line.y[end] < line.y[low]) low = end;
      if (line.y[end] > line.y[high]) high = end;
      ++end;
    }
    const std::size_t found[] = {begin, std::min(low, high), std::max(low, high), end - 1};
    for (std::size_t i : found) {
      if (keep.empty() || keep.back() != i) keep.push_back(i);
    }
    begin = end;
  }
  return keep;
}

std::string path_of(const PlotLine& line, const Area& area, const Axis& x_axis, const Axis& y_axis) {
  std::string path;
  bool pen_down = false;
  for (std::size_t i : thinned(line, x_axis)) {
    if (!drawable(line, i)) {
      pen_down = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", area.x(x_axis, line.x[i]),
                        area.y(y_axis, line.y[i]));
    pen_down = true;
  }
  return path;
}

const char* look_class(LineLook look) {
  switch (look) {
    case LineLook::dashed:
      return " dashed";
    case LineLook::faint:
      return " faint";
    case LineLook::solid:
    case LineLook::filled:
      break;
  }
  return "";
}

/// The pieces of the curve, each closed along y = 0 (or the edge nearest to it).
std::string area_of(const PlotLine& line, const Area& area, const Axis& x_axis, const Axis& y_axis) {
  const double base = area.y(y_axis, std::clamp(0.0, y_axis.low, y_axis.high));
  std::string path;
  double last_x = 0;
  bool open = false;
  const auto close = [&] {
    if (open) path += fmt::format("L{:.1f} {:.1f}Z", last_x, base);
    open = false;
  };
  for (std::size_t i : thinned(line, x_axis)) {
    if (!drawable(line, i)) {
      close();
      continue;
    }
    last_x = area.x(x_axis, line.x[i]);
    if (!open) path += fmt::format("M{:.1f} {:.1f}", last_x, base);
    path += fmt::format("L{:.1f} {:.1f}", last_x, area.y(y_axis, line.y[i]));
    open = true;
  }
  close();
  return path;
}

std::string draw_line(const PlotLine& line, const Area& area, const Axis& x_axis, const Axis& y_axis) {
  std::string tint;
  if (line.look == LineLook::filled)
    tint = fmt::format("<path class=\"area f{}\" d=\"{}\"/>\n", line.color % k_colors,
                       area_of(line, area, x_axis, y_axis));
  return tint + fmt::format("<path class=\"line c{}{}\" d=\"{}\"/>\n", line.color % k_colors,
                            look_class(line.look), path_of(line, area, x_axis, y_axis));
}

std::string draw_legend(const std::vector<PlotLine>& lines, const Area& area) {
  std::string svg;
  double x = area.left;
  const double y = area.top - 15;
  for (const PlotLine& line : lines) {
    if (line.name.empty()) continue;
    svg += fmt::format("<path class=\"line c{}{}\" d=\"M{:.1f} {:.1f}h18\"/>", line.color % k_colors,
                       look_class(line.look), x, y);
    svg += fmt::format("<text class=\"legend\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x + 23, y + 4,
                       escape_xml(line.name));
    x += 23 + k_digit * static_cast<double>(glyphs(line.name)) + 18;
  }
  return svg;
}

std::string draw_axes(const Plot& plot, const Area& area, const Axis& x_axis, const Axis& y_axis) {
  std::string svg;
  for (std::size_t i = 0; i < y_axis.ticks.size(); ++i) {
    const double y = area.y(y_axis, y_axis.ticks[i]);
    svg += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", area.left, y, area.right);
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                       area.left - 8, y + 4, y_axis.labels[i]);
  }
  for (std::size_t i = 0; i < x_axis.ticks.size(); ++i) {
    const double x = area.x(x_axis, x_axis.ticks[i]);
    svg += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}v5\"/>", x, area.bottom);
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x,
                       area.bottom + 19, x_axis.labels[i]);
  }
  svg +=
      fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", area.left, area.bottom, area.right);
  svg += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                     (area.left + area.right) / 2, area.bottom + 40, escape_xml(plot.x_label));
  svg += fmt::format(
      "<text class=\"label\" transform=\"translate(14 {:.1f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>\n",
      (area.top + area.bottom) / 2, escape_xml(plot.y_label));
  return svg;
}

std::string open_svg(double width, double height, const std::string& description) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" "
      "aria-label=\"{2}\">\n",
      width, height, escape_xml(description));
}

Axis y_axis_of(const Plot& plot, Range y) {
  for (double value : plot.y_include) y.reach(value);
  if (plot.y_limit > 0) y.high = std::min(y.high, plot.y_limit);
  const double missing = plot.smallest_y_span - (y.high - y.low);
  if (missing > 0) {
    y.low -= missing / 2;
    y.high += missing / 2;
  }
  return make_axis(y.low, y.high, 5, true);
}

}  // namespace

std::string draw_plot(const Plot& plot) {
  Range x, y;
  for (const PlotLine& line : plot.lines) {
    for (std::size_t i = 0; i < std::min(line.x.size(), line.y.size()); ++i) {
      if (!drawable(line, i)) continue;
      x.reach(line.x[i]);
      y.reach(line.y[i]);
    }
  }
  if (x.empty()) return "";
  for (double value : plot.x_include) x.reach(value);
  const Axis x_axis = make_axis(x.low, x.high, 7, false);
  const Axis y_axis = y_axis_of(plot, y);
  std::size_t widest = 0;
  for (const std::string& label : y_axis.labels) widest = std::max(widest, glyphs(label));
  constexpr double k_half_label = 24;  // of the last tick, which sticks out on the right
  const Area area{36 + k_digit * static_cast<double>(widest), 34, k_width - k_half_label, k_height - 50};

  std::string svg = open_svg(k_width, k_height, plot.y_label + " against " + plot.x_label);
  svg += draw_axes(plot, area, x_axis, y_axis);
  // A nested drawing cuts the curves off at the top of the axis; the others end inside anyway.
  svg += fmt::format(
      "<svg x=\"0\" y=\"{0:.1f}\" width=\"{1:.0f}\" height=\"{2:.1f}\" viewBox=\"0 {0:.1f} {1:.0f} "
      "{2:.1f}\">\n",
      area.top - 1, k_width, area.bottom - area.top + 2);
  for (const PlotLine& line : plot.lines) svg += draw_line(line, area, x_axis, y_axis);
  svg += "</svg>\n";
  return svg + draw_legend(plot.lines, area) + "</svg>\n";
}

std::string draw_bars(const BarChart& chart) {
  if (chart.bars.empty()) return "";
  constexpr double k_row = 30;
  double total = 0, largest = 0;
  std::size_t widest = 0;
  for (const auto& [name, value] : chart.bars) {
    total += value;
    largest = std::max(largest, value);
    widest = std::max(widest, glyphs(name));
  }
  const double left = 18 + 7 * static_cast<double>(widest), room = k_width - left - 130;
  const double height = k_row * static_cast<double>(chart.bars.size()) + 8;
  std::string svg = open_svg(k_width, height, "time per stage");
  double y = 4;
  for (const auto& [name, value] : chart.bars) {
    const double width = largest > 0 ? std::max(1.0, room * value / largest) : 1.0;
    svg += fmt::format("<text class=\"legend\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                       left - 10, y + 19, escape_xml(name));
    svg +=
        fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" rx=\"2\"/>",
                    left, y + 6, width);
    svg += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">{:.3g} {} · {:.0f} %</text>\n",
                       left + width + 8, y + 19, value, escape_xml(chart.unit),
                       total > 0 ? 100 * value / total : 0.0);
    y += k_row;
  }
  return svg + "</svg>\n";
}

std::string plot_style() {
  return R"css(
svg { display: block; width: 100%; height: auto;
      font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
svg .line { fill: none; stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round; }
svg .dashed { stroke-dasharray: 5 4; stroke-linecap: butt; }
svg .faint { stroke-width: 1; opacity: 0.45; }
svg .grid { stroke: var(--grid); stroke-width: 1; fill: none; }
svg .axis { stroke: var(--axis); stroke-width: 1; fill: none; }
svg .tick { fill: var(--muted); font-variant-numeric: tabular-nums; }
svg .label, svg .legend { fill: var(--text); }
svg .bar { fill: var(--c0); }
svg .area { stroke: none; opacity: 0.16; }
svg .c0 { stroke: var(--c0); } svg .c1 { stroke: var(--c1); } svg .c2 { stroke: var(--c2); }
svg .c3 { stroke: var(--c3); } svg .c4 { stroke: var(--c4); } svg .c5 { stroke: var(--c5); }
svg .f0 { fill: var(--c0); } svg .f1 { fill: var(--c1); } svg .f2 { fill: var(--c2); }
svg .f3 { fill: var(--c3); } svg .f4 { fill: var(--c4); } svg .f5 { fill: var(--c5); }
)css";
}

std::string escape_xml(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace nanoday
