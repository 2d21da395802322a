// The known name nearest to a mistyped one, for error messages.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Insertions, deletions and substitutions that turn `a` into `b` (Levenshtein distance).
int edit_distance(std::string_view a, std::string_view b);

/// The entry of `known` with the smallest edit distance to `name`; "" when `known` is empty.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace nanoday
