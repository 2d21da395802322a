// The report: whole, self-contained, safe against odd names and values.
// SPDX-License-Identifier: Apache-2.0
#include "io/report.hpp"

#include "io/plot_axis.hpp"
#include "io/svg_plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

ReportData small_run() {
  ReportData data;
  data.title = "water.pb · water.data";
  data.n_atoms = 3;
  data.target_temperature = 330;
  data.thermo.time = {0, 1, 2};
  data.thermo.temperature = {320, 330, 340};
  data.thermo.conserved = {-1, -1, -1};
  data.rdf.x = {1, 2, 3};
  data.rdf.columns = {{"O-O", {0, 1, 2}}};
  data.stages = {{"fitting", 2.0}, {"descriptor", 1.0}};
  return data;
}

TEST(Report, needs_nothing_from_elsewhere) {
  const std::string html = report_html(small_run());
  EXPECT_EQ(count(html, "<script"), 0);
  EXPECT_EQ(count(html, "src="), 0);
  EXPECT_EQ(count(html, "href="), 0);
  EXPECT_EQ(count(html, "@import"), 0);
}

TEST(Report, draws_what_it_was_given_and_leaves_out_the_rest) {
  const std::string html = report_html(small_run());
  EXPECT_EQ(count(html, "<figure>"), 4);  // temperature, conserved energy, g(r), stages
  EXPECT_NE(html.find("target 330 K"), std::string::npos);
  EXPECT_NE(html.find("O-O"), std::string::npos);
  EXPECT_EQ(html.find("Pressure"), std::string::npos);
}

TEST(Report, states_no_slope_of_a_few_rows) {
  ReportData data = small_run();
  EXPECT_NE(report_html(data).find("too few rows for a slope (3 of 20)"), std::string::npos);
  for (int i = 3; i < 20; ++i) {
    data.thermo.time.push_back(i);
    data.thermo.temperature.push_back(330);
    data.thermo.conserved.push_back(-1);
  }
  EXPECT_NE(report_html(data).find("slope +0 meV/atom/ps"), std::string::npos);
}

TEST(Report, draws_centroids_dipoles_and_the_infrared_spectrum_when_there_are_any) {
  ReportData data = small_run();
  data.wannier_distance = {{0.06, 0.07, 0.08}, {0, 100, 0}, "mean 0.07 Å"};
  data.molecular_dipole = {{2.9, 3.0, 3.1}, {1, 8, 1}, "mean 3 D"};
  data.infrared = {{0, 5, 10}, {0, -20, 4000}, "resolution 33 cm⁻¹"};
  const std::string html = report_html(data);
  EXPECT_EQ(count(html, "<figure>"), 7);
  for (const char* text : {"Wannier centroid distances", "Molecular dipoles", "Infrared spectrum",
                           "mean 0.07 Å", "mean 3 D", "resolution 33 cm⁻¹"})
    EXPECT_EQ(count(html, text), 1) << text;
}

TEST(Report, an_empty_run_is_still_a_page) {
  const std::string html = report_html(ReportData{});
  EXPECT_EQ(count(html, "<figure>"), 0);
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

TEST(Report, file_names_cannot_become_markup) {
  ReportData data = small_run();
  data.title = "<b>&\"x\"";
  data.warnings = {"<i>careful</i>"};
  const std::string html = report_html(data);
  EXPECT_EQ(html.find("<b>&"), std::string::npos);
  EXPECT_EQ(html.find("<i>"), std::string::npos);
  EXPECT_NE(html.find("&lt;b&gt;&amp;&quot;x&quot;"), std::string::npos);
}

TEST(Plot, values_that_are_not_finite_interrupt_the_line) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string svg =
      draw_plot({"x", "y", {{"", {0, 1, 2, 3, 4}, {1, 2, nan, 2, 1}, 0, LineLook::solid}}, {}, {}});
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  const std::size_t path = svg.find("class=\"line");
  EXPECT_EQ(count(svg.substr(path, svg.find("/>", path) - path), "M"), 2);
}

TEST(Plot, a_filled_curve_is_tinted_down_to_zero_in_as_many_pieces_as_it_has) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const PlotLine line{"", {0, 1, 2, 3, 4}, {1, 2, nan, 2, -1}, 3, LineLook::filled};
  const std::string svg = draw_plot({"x", "y", {line}, {}, {}});
  const std::size_t area = svg.find("class=\"area f3\"");
  ASSERT_NE(area, std::string::npos);
  const std::string path = svg.substr(area, svg.find("/>", area) - area);
  EXPECT_EQ(count(path, "M"), 2);
  EXPECT_EQ(count(path, "Z"), 2);
  EXPECT_EQ(count(svg, "class=\"area"), 1);
}

TEST(Plot, nothing_to_draw_gives_nothing) {
  EXPECT_EQ(draw_plot({}), "");
  EXPECT_EQ(draw_bars({}), "");
}

TEST(Plot, a_long_series_stays_small_and_keeps_its_peak) {
  PlotLine line;
  for (int i = 0; i < 1000000; ++i) {
    line.x.push_back(i);
    line.y.push_back(i == 333333 ? 10.0 : std::sin(i * 0.1));
  }
  Plot plot;
  plot.lines = {line};
  const std::string with_peak = draw_plot(plot);
  EXPECT_LT(with_peak.size(), 200000u);
  plot.lines[0].y[333333] = 0;
  EXPECT_NE(draw_plot(plot), with_peak);
}

TEST(Axis, ticks_are_round_and_inside) {
  const Axis axis = make_axis(0.013, 2.04, 5, false);
  ASSERT_GE(axis.ticks.size(), 3u);
  for (double tick : axis.ticks) {
    EXPECT_GE(tick, axis.low);
    EXPECT_LE(tick, axis.high);
    EXPECT_NEAR(tick / 0.5, std::round(tick / 0.5), 1e-9);
  }
}

TEST(Axis, a_flat_line_still_has_a_range) {
  const Axis axis = make_axis(-29947.9, -29947.9, 5, true);
  EXPECT_LT(axis.low, axis.high);
  EXPECT_GE(axis.ticks.size(), 2u);
}

TEST(Axis, labels_tell_ticks_apart) {
  const Axis axis = make_axis(-0.01, 0.015, 5, true);
  for (std::size_t i = 1; i < axis.labels.size(); ++i) EXPECT_NE(axis.labels[i], axis.labels[i - 1]);
  EXPECT_EQ(axis.labels.front(), "−0.010");
}

}  // namespace
}  // namespace nanoday
