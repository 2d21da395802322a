// The errors the library throws, and the exit code each one means.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace nanoday {

/// What the process reports when an error reaches `main`.
enum class ExitCode { ok = 0, failed_run = 1, bad_input = 2 };

/// Base of every error thrown by nanoday. The text reads: problem (why it is one); what to do.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& text) : std::runtime_error(text), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Bad usage or a bad input file: exit code 2. Nothing has been written when it is thrown.
class InputError : public Error {
 public:
  explicit InputError(const std::string& text) : Error(ExitCode::bad_input, text) {}
};

/// A run that cannot go on (NaN, lost atom, disk full): exit code 1. The last checkpoint is intact.
class RunError : public Error {
 public:
  explicit RunError(const std::string& text) : Error(ExitCode::failed_run, text) {}
};

/// Throws InputError with an fmt-formatted text unless `condition` holds. Always on.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) throw InputError(fmt::format(text, std::forward<Args>(args)...));
}

/// As require(), for conditions that fail while a run goes on: throws RunError.
template <class... Args>
void require_run(bool condition, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) throw RunError(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace nanoday
