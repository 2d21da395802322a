// Table of the balance inside nodes: the busiest rank's work over the mean, by place, by atoms and by work.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace nanoday::bench {

/// Prints the table and returns its rows.
nlohmann::json node_balance_table();

}  // namespace nanoday::bench
