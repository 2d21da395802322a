// What a run says: to standard output and, line by line, to log.txt.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <fstream>
#include <string>

namespace nanoday {

/// `other_rank`: the first rank speaks; this one adds to the file only what happened to it.
enum class LogMode { fresh, append, other_rank };

class RunLog {
 public:
  /// \param quiet only the file hears what is said; warnings are heard everywhere
  /// Throws RunError when the file cannot be opened.
  RunLog(const std::string& path, LogMode mode, bool quiet = false);

  /// To standard output and the file. The text may hold several lines; a line end is added.
  void say(const std::string& text);
  /// As say(), marked as a warning and on standard error.
  void warn(const std::string& text);
  /// To the file only, of other ranks too.
  void note(const std::string& text);

  /// True when standard output is a terminal.
  bool on_terminal() const { return on_terminal_; }
  /// Draws one line over the last one; terminals only, never in the file. "" removes it.
  void draw(const std::string& line);

 private:
  bool speaks_;
  std::ofstream file_;
  bool on_terminal_, quiet_;
  bool drawn_ = false;
};

}  // namespace nanoday
