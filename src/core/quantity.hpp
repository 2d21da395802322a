// Numbers with units as users type them: "0.5fs", "10ps", "330K", "2A".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace nanoday {

/// Parses a time; units fs, ps, ns, us. A bare number is in ps.
/// \param what names the setting in messages, e.g. "--dt"
/// \return time [ps]. Throws InputError for anything but one finite number and a known unit.
double parse_time(std::string_view text, std::string_view what);

/// Parses a temperature; unit K. A bare number is in K. \return [K]
double parse_temperature(std::string_view text, std::string_view what);

/// Parses a length; units A, Å, nm, pm. A bare number is in Å. \return [Å]
double parse_length(std::string_view text, std::string_view what);

/// Parses a plain finite number. Throws InputError otherwise.
double parse_number(std::string_view text, std::string_view what);

/// Parses a whole number from `lowest` to `highest`. Throws InputError otherwise.
std::int64_t parse_count(std::string_view text, std::string_view what, std::int64_t lowest = 0,
                         std::int64_t highest = 1'000'000'000'000'000);

}  // namespace nanoday
