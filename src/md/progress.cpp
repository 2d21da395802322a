// Progress of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/progress.hpp"

#include "core/timer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

constexpr double k_draw_interval = 0.1;  // [s], what an eye can follow
constexpr double k_line_interval = 60;   // [s], for logs of long runs
constexpr int k_bar_width = 30;

}  // namespace

double ns_per_day(std::int64_t steps, double dt, double seconds) {
  return seconds > 0 ? static_cast<double>(steps) * dt * 1e-3 * 86400 / seconds : 0;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::clamp(seconds, 0.0, 1e12)));
  const auto days = whole / 86400, hours = whole / 3600 % 24, minutes = whole / 60 % 60, rest = whole % 60;
  if (days > 0) return fmt::format("{} d {:02}:{:02}:{:02}", days, hours, minutes, rest);
  return fmt::format("{}:{:02}:{:02}", hours, minutes, rest);
}

Progress::Progress(RunLog& log, std::int64_t first, std::int64_t total, double dt)
    : log_(log),
      first_(first),
      total_(total),
      dt_(dt),
      start_(seconds_now()),
      next_line_(k_line_interval),
      next_tenth_(first + std::max<std::int64_t>(1, (total - first) / 10)) {}

double Progress::seconds() const { return seconds_now() - start_; }

void Progress::update(std::int64_t step) {
  const double elapsed = seconds();
  if (log_.on_terminal()) {
    if (elapsed < next_draw_) return;
    next_draw_ = elapsed + k_draw_interval;
    log_.draw(bar(step, elapsed));
  } else if (step >= next_tenth_ || elapsed >= next_line_) {
    while (next_tenth_ <= step) next_tenth_ += std::max<std::int64_t>(1, (total_ - first_) / 10);
    next_line_ = elapsed + k_line_interval;
    log_.say(line(step, elapsed));
  }
}

std::string Progress::line(std::int64_t step, double elapsed) const {
  const auto done = static_cast<double>(step - first_);
  const double left = done > 0 ? elapsed / done * static_cast<double>(total_ - step) : 0;
  return fmt::format("step {}/{}  {:.3f} ps  {:.3g} ns/day  ETA {}", step, total_,
                     static_cast<double>(step) * dt_, ns_per_day(step - first_, dt_, elapsed),
                     clock_text(left));
}

std::string Progress::bar(std::int64_t step, double elapsed) const {
  const double share = total_ > 0 ? static_cast<double>(step) / static_cast<double>(total_) : 1;
  const int full = std::clamp(static_cast<int>(share * k_bar_width), 0, k_bar_width);
  std::string cells;
  for (int i = 0; i < k_bar_width; ++i) cells += i < full ? "█" : "░";
  return cells + fmt::format(" {:3.0f} %  ", 100 * share) + line(step, elapsed);
}

}  // namespace nanoday
