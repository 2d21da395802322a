// How many digits of a number go into an output file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace nanoday {

/// Eight or twelve significant digits, or as many as give back the same double ("--reproducible").
enum class NumberFormat { eight_digits, twelve_digits, round_trip };

/// Appends a number.
inline void append_number(fmt::memory_buffer& out, double value, NumberFormat format) {
  switch (format) {
    case NumberFormat::eight_digits:
      fmt::format_to(std::back_inserter(out), "{:.8g}", value);
      return;
    case NumberFormat::twelve_digits:
      fmt::format_to(std::back_inserter(out), "{:.12g}", value);
      return;
    case NumberFormat::round_trip:
      fmt::format_to(std::back_inserter(out), "{}", value);
      return;
  }
}

/// Appends a blank and a number, for each component.
inline void append_vector(fmt::memory_buffer& out, Vec3 value, NumberFormat format) {
  for (const double component : {value.x, value.y, value.z}) {
    out.push_back(' ');
    append_number(out, component, format);
  }
}

/// Appends text as it is.
inline void append_text(fmt::memory_buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

}  // namespace nanoday
