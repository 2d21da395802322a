// Small line plots and bar charts as SVG text: axes with round ticks, units, legend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace nanoday {

/// `filled`: solid, and the area between the curve and 0 (or the bottom) tinted.
enum class LineLook { solid, dashed, faint, filled };

/// One curve. Points that are not finite interrupt the line.
struct PlotLine {
  std::string name;          ///< legend entry; "" has none
  std::vector<double> x, y;  ///< same length
  int color = 0;             ///< 0 … 5 of the palette
  LineLook look = LineLook::solid;
};

/// A figure of one or several curves over a common pair of axes.
struct Plot {
  std::string x_label, y_label;  ///< with units: "time (ps)"
  std::vector<PlotLine> lines;
  std::vector<double> x_include;  ///< values the x axis must reach
  std::vector<double> y_include;  ///< values the y axis must reach (0 for g(r), a set point …)
  double smallest_y_span = 0;     ///< do not zoom in further than this, so that noise looks like noise
  double y_limit = 0;             ///< curves are cut off above this value; 0: nothing is
};

/// Horizontal bars: label, value, and the share of the total beside each.
struct BarChart {
  std::string unit;  ///< "ms"
  std::vector<std::pair<std::string, double>> bars;
};

/// `<svg>…</svg>`; an empty string when no line has a finite point.
std::string draw_plot(const Plot& plot);
/// `<svg>…</svg>`; an empty string when there are no bars.
std::string draw_bars(const BarChart& chart);

/// Style rules the figures rely on, for a `<style>` element of the page that holds them.
std::string plot_style();

/// Text with &, <, > and quotes replaced by entities.
std::string escape_xml(const std::string& text);

}  // namespace nanoday
