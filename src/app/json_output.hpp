// Writes the JSON results of commands to a file or to standard output.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace nanoday {

/// Keys stay in the order they were added.
using Json = nlohmann::ordered_json;

/// True when `path` names standard output, which then must carry nothing else.
bool is_stdout(const std::string& path);

/// Writes one document, numbers in the shortest form that reads back to the same double.
/// Throws RunError when it cannot be written.
void write_json(const std::string& path, const Json& document);

}  // namespace nanoday
