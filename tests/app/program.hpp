// Runs the built program as a user would and collects what it said.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/wait.h>

namespace nanoday::testing {

/// What a run of the program left behind.
struct Outcome {
  int code = -1;  ///< exit code; −1 when it was killed
  std::string out, err;
};

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A folder of the test's own, empty at first, gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nanoday-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Runs `nanoday ARGUMENTS` through the shell. \param launch  what comes before: "mpirun -n 2", "NAME=value"
inline Outcome run_program(const std::string& arguments, const std::string& launch = "") {
  const Folder folder;
  const std::string command =
      launch + " " + NANODAY_PROGRAM + " " + arguments + " >" + (folder / "out") + " 2>" + (folder / "err");
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(folder / "out"), read_text(folder / "err")};
}

/// How often a text has a part.
inline int times(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// A file shipped under examples/.
inline std::string example(const std::string& name) { return NANODAY_SOURCE_DIR "/examples/" + name; }

/// A single water molecule, data file with element names.
inline std::string water_molecule() {
  return "one molecule\n\n3 atoms\n2 atom types\n0 20 xlo xhi\n0 20 ylo yhi\n0 20 zlo zhi\n\nMasses\n\n"
         "1 15.9994 # O\n2 1.00794 # H\n\nAtoms # atomic\n\n"
         "1 1 10.0 10.0 10.0\n2 2 10.96 10.0 10.0\n3 2 9.76 10.93 10.0\n";
}

inline void write_text(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace nanoday::testing
