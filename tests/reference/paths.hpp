// Where test inputs lie: shipped ones beside the tests, reference numbers in a shared folder that may be
// absent. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace nanoday::reference {

/// A file of tests/data.
inline std::string data_path(const std::string& name) {
  return std::string(NANODAY_SOURCE_DIR) + "/tests/data/" + name;
}

/// The folder with reference numbers: environment variable NANODAY_SHARED, else ../shared.
inline std::filesystem::path shared_folder() {
  if (const char* folder = std::getenv("NANODAY_SHARED")) return folder;
  return std::filesystem::path(NANODAY_SOURCE_DIR).parent_path() / "shared";
}

/// A file of the reference numbers; ask exists() before use and skip the test visibly when it is absent.
inline std::string spec_path(const std::string& name) { return (shared_folder() / "spec" / name).string(); }

}  // namespace nanoday::reference
