// The part of a LAMMPS data file before its first section: counts and the box.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"
#include "io/text.hpp"

#include <map>
#include <string>

namespace nanoday {

/// What the header of a LAMMPS data file says.
struct LammpsHeader {
  std::map<std::string, std::int64_t> counts;  ///< by keyword: "atoms", "atom types", "bonds", …
  Box box;                                     ///< periodic; origin = (xlo, ylo, zlo) or "abc origin"
  double length_per_time = 1;                  ///< the file's velocity unit in Å/ps

  std::int64_t count(const std::string& keyword) const {
    const auto at = counts.find(keyword);
    return at == counts.end() ? 0 : at->second;
  }
};

/// The line without its comment, and the comment without "#", both trimmed.
struct CommentedLine {
  std::string_view text, comment;
};
CommentedLine split_comment(std::string_view line);

/// True when the line starts a section: its first character is a letter.
bool is_section(std::string_view text);

/// Reads title and header; the reader then stands before the line of the first section.
LammpsHeader read_lammps_header(LineReader& lines);

}  // namespace nanoday
