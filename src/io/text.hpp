// Reading text line by line and number by number, with errors that name file and line.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/printable.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Whole content of a file or pipe. Throws InputError when it is missing, a folder or unreadable.
std::string read_bytes(const std::string& path);

/// Fields separated by blanks or tabs.
std::vector<std::string_view> split_fields(std::string_view line);

/// Text without blanks at either end.
std::string_view trim(std::string_view text);

/// Lower-case copy (ASCII).
std::string lower(std::string_view text);

/// True and `value` set when the whole field is a finite number.
bool parse_number(std::string_view field, double& value);
/// True and `value` set when the whole field is an integer.
bool parse_number(std::string_view field, std::int64_t& value);

/// Walks through the lines of a text it borrows; line ends \n and \r\n.
class LineReader {
 public:
  /// \param name what messages call the text, usually its path
  LineReader(std::string name, std::string_view text) : name_(std::move(name)), text_(text) {}

  /// Moves to the next line; false at the end of the text.
  bool next(std::string_view& line);
  /// Moves to the next line; throws InputError saying that `what` was expected when there is none.
  std::string_view need(std::string_view what);
  /// As next(), without moving.
  bool peek(std::string_view& line) const;
  bool at_end() const { return begin_ >= text_.size(); }

  const std::string& name() const { return name_; }
  /// One-based number of the line last read.
  std::int64_t line_number() const { return line_number_; }

  /// Throws InputError "name:line: problem".
  [[noreturn]] void fail(const std::string& problem) const;
  /// The field as a number; throws InputError with file and line otherwise.
  double real(std::string_view field, std::string_view what) const;
  std::int64_t integer(std::string_view field, std::string_view what) const;

 private:
  std::string name_;
  std::string_view text_;
  std::size_t begin_ = 0;
  std::int64_t line_number_ = 0;
};

}  // namespace nanoday
