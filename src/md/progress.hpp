// How far a run is and when it will be done: a bar on a terminal, now and then a line elsewhere.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run_log.hpp"

#include <cstdint>
#include <string>

namespace nanoday {

/// Simulated time per day of wall time [ns/day] at `seconds` per `steps` of dt [ps]; 0 before anything ran.
double ns_per_day(std::int64_t steps, double dt, double seconds);

/// "1:02:03" or "2 d 03:04:05".
std::string clock_text(double seconds);

class Progress {
 public:
  /// \param first step this process starts from; \param total steps of the whole run
  Progress(RunLog& log, std::int64_t first, std::int64_t total, double dt);

  /// Called after every step; draws when it is time to.
  void update(std::int64_t step);
  /// Removes the bar.
  void finish() { log_.draw(""); }
  /// Wall time since construction [s].
  double seconds() const;

 private:
  std::string bar(std::int64_t step, double elapsed) const;
  std::string line(std::int64_t step, double elapsed) const;

  RunLog& log_;
  std::int64_t first_, total_;
  double dt_;
  double start_;
  double next_draw_ = 0;         ///< [s] since start
  double next_line_ = 0;         ///< [s] since start
  std::int64_t next_tenth_ = 0;  ///< step at which a plain line is due whatever the time
};

}  // namespace nanoday
