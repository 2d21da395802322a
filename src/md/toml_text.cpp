// TOML values as text.
// SPDX-License-Identifier: Apache-2.0
#include "md/toml_text.hpp"

#include <fmt/format.h>

namespace nanoday {

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string toml_number(double value) {
  std::string text = fmt::format("{}", value);
  // TOML floats need a fraction or an exponent.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace nanoday
