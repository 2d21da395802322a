// Settings of the long-range part of DPLR models.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run_settings.hpp"

namespace nanoday {

/// Rows of run_settings() that only DPLR models read.
std::span<const Setting> long_range_settings();
bool is_long_range_setting(std::string_view name);

}  // namespace nanoday
