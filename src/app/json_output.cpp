// Writes the JSON results of commands to a file or to standard output.
// SPDX-License-Identifier: Apache-2.0
#include "app/json_output.hpp"

#include "core/error.hpp"

#include <cstdio>
#include <fstream>

namespace nanoday {

bool is_stdout(const std::string& path) { return path == "-" || path == "/dev/stdout"; }

void write_json(const std::string& path, const Json& document) {
  const std::string text = document.dump() + "\n";
  if (is_stdout(path)) {
    const bool written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    require_run(written, "cannot write to standard output (disk full, or closed?); choose another --json");
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  require_run(
      file.good(),
      "cannot write {} (no such folder, no right to write there, or disk full?); choose another --json",
      path);
}

}  // namespace nanoday
