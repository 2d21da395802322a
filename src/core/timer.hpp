// Time spent per named stage of a step; the same words appear in bench output, reports and profilers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <string_view>

namespace nanoday {

/// Stages of a step, in the order they run.
enum class Stage {
  neighbor,
  halo,
  environment,
  descriptor,
  fitting,
  gradient,
  force_sum,
  pppm,         ///< wall time of the long-range solver, whatever ran beside it
  pppm_hidden,  ///< the part of it in which other threads evaluated nets; not part of total()
  integrate,
  output  ///< files and checkpoints; of a run also the looks at its tables
};
inline constexpr int k_stage_count = 11;

std::string_view stage_name(Stage stage);

/// Wall-clock seconds per stage. A stage shared by threads is charged the mean over the threads.
class StageTimes {
 public:
  void add(Stage stage, double seconds) { seconds_[static_cast<int>(stage)] += seconds; }
  double seconds(Stage stage) const { return seconds_[static_cast<int>(stage)]; }
  double total() const;
  void reset() { seconds_ = {}; }

 private:
  std::array<double, k_stage_count> seconds_{};
};

inline double seconds_now() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

/// Adds the time between construction and destruction to one stage.
class Trace {
 public:
  Trace(StageTimes& times, Stage stage) : times_(times), stage_(stage), start_(seconds_now()) {}
  ~Trace() { times_.add(stage_, seconds_now() - start_); }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

 private:
  StageTimes& times_;
  Stage stage_;
  double start_;
};

}  // namespace nanoday
