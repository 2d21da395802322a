// SIGINT and SIGTERM as a request to stop after the present step.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string>

namespace nanoday {

/// While one exists, the first SIGINT or SIGTERM only sets a flag; a second one of the same kind ends the
/// process as usual. A file over the size limit is then an error of the write, not a signal. Restores the
/// former handlers when destroyed. At most one at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// True once a signal has come.
  bool requested() const;
  /// "SIGTERM" or "SIGINT". \pre requested()
  std::string name() const;

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
  struct sigaction old_file_size_ {};
};

}  // namespace nanoday
