// Text from files made fit for messages.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nanoday {

/// Printable ASCII, other bytes as \xNN; long texts are cut.
std::string printable(std::string_view text);

}  // namespace nanoday
