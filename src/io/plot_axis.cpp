// Scales of a figure: data range to pixels, round ticks and their labels.
// SPDX-License-Identifier: Apache-2.0
#include "io/plot_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

/// The step 1, 2, 2.5 or 5 times a power of ten nearest above span / wanted.
double nice_step(double span, int wanted) {
  const double raw = span / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

/// Digits behind the point that tell multiples of `step` apart.
int decimals_of(double step) {
  for (int digits = 0; digits < 12; ++digits) {
    const double scaled = step * std::pow(10.0, digits);
    if (std::abs(scaled - std::round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 12;
}

std::string tick_label(double value, double step) {
  if (std::abs(value) < 1e-9 * step) value = 0;
  if (step < 1e-4 || std::abs(value) >= 1e6) return fmt::format("{:.3g}", value);
  std::string text = fmt::format("{:.{}f}", value, decimals_of(step));
  if (text[0] == '-') text.replace(0, 1, "−");  // a minus sign as wide as the plus
  return text;
}

/// Multiples of `step` inside [low, high].
std::vector<double> ticks_between(double low, double high, double step) {
  std::vector<double> ticks;
  const double slack = 1e-9 * step;
  for (double k = std::ceil((low - slack) / step); k * step <= high + slack; ++k) ticks.push_back(k * step);
  return ticks;
}

}  // namespace

Axis make_axis(double low, double high, int wanted, bool widen) {
  // A flat line still needs a range: wide enough that neighboring ticks differ in double precision.
  const double least = std::max(1e-9, 1e-9 * std::max(std::abs(low), std::abs(high)));
  if (high - low < least) {
    low -= least;
    high += least;
  }
  const double step = nice_step(high - low, wanted);
  if (widen) {
    low = std::floor(low / step + 1e-9) * step;
    high = std::ceil(high / step - 1e-9) * step;
  }
  Axis axis{low, high, ticks_between(low, high, step), {}};
  for (double tick : axis.ticks) axis.labels.push_back(tick_label(tick, step));
  return axis;
}

}  // namespace nanoday
