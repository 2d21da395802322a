// The log of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_log.hpp"

#include "core/error.hpp"

#include <unistd.h>

namespace nanoday {

RunLog::RunLog(const std::string& path, LogMode mode, bool quiet)
    : speaks_(mode != LogMode::other_rank), on_terminal_(speaks_ && isatty(STDOUT_FILENO)), quiet_(quiet) {
  if (mode == LogMode::fresh) std::ofstream(path, std::ios::trunc);
  file_.open(path, std::ios::app);  // others may write to it, too
  require_run(static_cast<bool>(file_), "{} cannot be written; look at the folder's permissions and the disk",
              path);
}

void RunLog::say(const std::string& text) {
  if (!speaks_) return;
  note(text);
  if (quiet_) return;
  draw("");
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

void RunLog::warn(const std::string& text) {
  if (!speaks_) return;
  draw("");
  fmt::print(stderr, "warning: {}\n", text);
  note("warning: " + text);
}

void RunLog::note(const std::string& text) { file_ << text << std::endl; }

void RunLog::draw(const std::string& line) {
  if (!on_terminal_ || (line.empty() && !drawn_)) return;
  fmt::print("\r\033[K{}", line);
  std::fflush(stdout);
  drawn_ = !line.empty();
}

}  // namespace nanoday
