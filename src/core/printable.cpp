// Text from files made fit for messages.
// SPDX-License-Identifier: Apache-2.0
#include "core/printable.hpp"

#include <fmt/format.h>

namespace nanoday {

std::string printable(std::string_view text) {
  constexpr std::size_t k_longest = 60;
  std::string out;
  for (const char c : text.substr(0, text.size() > 200 ? k_longest : 200)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 32 && byte < 127)
      out += c;
    else
      out += fmt::format("\\x{:02x}", byte);
  }
  return text.size() > 200 ? out + "…" : out;
}

}  // namespace nanoday
