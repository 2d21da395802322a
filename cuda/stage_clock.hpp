// Device time per stage of a step, for benchmarks: timers that are recorded with the work they measure.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/timer.hpp"
#include "cuda/runtime.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Timers in the order they were asked for. Read after the stream has been waited for.
class StageClock {
 public:
  DeviceTimer& timer(Stage stage) {
    timers_.emplace_back(stage, std::make_unique<DeviceTimer>());
    return *timers_.back().second;
  }
  /// Times what runs beside the long-range solver.
  DeviceTimer& beside() {
    if (!beside_) beside_ = std::make_unique<DeviceTimer>();
    return *beside_;
  }
  /// Adds what the timers of the last launch show.
  void add_to(StageTimes& times) const {
    double solver = 0;
    for (const auto& [stage, timer] : timers_) {
      const double seconds = timer->seconds();
      times.add(stage, seconds);
      if (stage == Stage::pppm) solver += seconds;
    }
    if (beside_) times.add(Stage::pppm_hidden, std::min(solver, beside_->seconds()));
  }

 private:
  std::vector<std::pair<Stage, std::unique_ptr<DeviceTimer>>> timers_;
  std::unique_ptr<DeviceTimer> beside_;
};

/// Times what is queued during its life; does nothing without a clock.
class TimedStage {
 public:
  TimedStage(StageClock* clock, Stream& stream, Stage stage)
      : stream_(stream), timer_(clock == nullptr ? nullptr : &clock->timer(stage)) {
    if (timer_ != nullptr) timer_->start(stream_);
  }
  ~TimedStage() {
    if (timer_ == nullptr) return;
    try {
      timer_->stop(stream_);
    } catch (const std::exception&) {  // what failed here fails where the stream is waited for, too
    }
  }
  TimedStage(const TimedStage&) = delete;
  TimedStage& operator=(const TimedStage&) = delete;

 private:
  Stream& stream_;
  DeviceTimer* timer_;
};

}  // namespace nanoday::NANODAY_GPU
