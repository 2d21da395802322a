// Usage: help, versions, and what is said when something is wrong.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <algorithm>

namespace nanoday::testing {
namespace {

/// A complaint is one sentence on standard error that begins with the program's name; nothing on standard
/// output.
void expect_complaint(const Outcome& outcome, int code, const std::string& part) {
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(outcome.err.starts_with("nanoday: ")) << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
}

TEST(CommandLine, help_names_every_command_and_examples) {
  const Outcome outcome = run_program("--help");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* word : {"run", "resume", "eval", "check", "bench", "info", "Examples", "Exit codes"}) {
    EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
  }
}

TEST(CommandLine, every_command_explains_itself) {
  for (const std::string name : {"run", "resume", "eval", "check", "bench", "info"}) {
    const Outcome outcome = run_program(name + " --help");
    EXPECT_EQ(outcome.code, 0) << name;
    EXPECT_NE(outcome.out.find("nanoday " + name), std::string::npos) << name;
    EXPECT_NE(outcome.out.find("Examples"), std::string::npos) << name;
  }
}

TEST(CommandLine, version_is_one_line) {
  const Outcome outcome = run_program("--version");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.out.starts_with("nanoday 0.")) << outcome.out;
}

TEST(CommandLine, no_command_is_bad_usage) { expect_complaint(run_program(""), 2, "--help"); }

TEST(CommandLine, an_unknown_option_is_bad_usage) {
  expect_complaint(run_program("eval a.pb b.data --tabel net"), 2, "--tabel");
}

TEST(CommandLine, an_unknown_option_with_a_value_is_named) {
  expect_complaint(run_program("run a.pb b.data --nve --steps 5 --npt 3"), 2, "--npt");
}

TEST(CommandLine, a_missing_argument_is_bad_usage) {
  expect_complaint(run_program("eval a.pb"), 2, "STRUCTURE");
}

TEST(CommandLine, a_missing_model_is_named) {
  expect_complaint(run_program("info no-such-file.pb"), 2, "no-such-file.pb");
  expect_complaint(run_program("eval no-such-file.pb also-none.data"), 2, "no-such-file.pb");
}

TEST(CommandLine, info_without_a_model_is_bad_usage) { expect_complaint(run_program("info"), 2, "model"); }

TEST(CommandLine, a_missing_structure_is_named) {
  expect_complaint(run_program("eval " + example("models/water.pb") + " no-such.data"), 2, "no-such.data");
}

TEST(CommandLine, a_text_file_is_no_model) {
  expect_complaint(run_program("info " + example("README.md")), 2, "README.md");
}

TEST(CommandLine, fast_precision_needs_a_gpu) {
  const std::string files = example("models/water.pb") + " " + example("structures/water192.data");
  expect_complaint(run_program("eval " + files + " --precision fast"), 2, "GPU");
}

TEST(CommandLine, an_unknown_device_is_refused) {
  const std::string files = example("models/water.pb") + " " + example("structures/water192.data");
  expect_complaint(run_program("eval " + files + " --device abacus"), 2, "abacus");
  expect_complaint(run_program("eval " + files + " --device cuda"), 2, "cuda");
}

TEST(CommandLine, elements_the_model_does_not_know_are_refused) {
  const std::string files = example("models/water.pb") + " " + example("structures/copper256.data");
  expect_complaint(run_program("eval " + files), 2, "Cu");
}

TEST(CommandLine, an_unwritable_result_is_a_failed_run) {
  const Folder folder;
  write_text(folder / "water.data", water_molecule());
  const Outcome outcome = run_program("eval " + example("models/water.pb") + " " + (folder / "water.data") +
                                      " --table net --json " + (folder / "none/result.json"));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("none/result.json"), std::string::npos) << outcome.err;
}

TEST(CommandLine, a_full_disk_is_a_failed_run) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full here";
  const std::string command = std::string(NANODAY_PROGRAM) + " info " + example("models/water.pb");
  for (const std::string form : {" --json", ""}) {
    const int status = std::system((command + form + " >/dev/full 2>/dev/null").c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1) << form;
  }
}

}  // namespace
}  // namespace nanoday::testing
