// TOML values as text: strings escaped, numbers that read back as the same double.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nanoday {

/// A basic string in quotes; control characters become \uXXXX.
std::string toml_string(std::string_view text);

/// The shortest text that reads back as the same float.
std::string toml_number(double value);

}  // namespace nanoday
