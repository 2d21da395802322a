// Ranks as processes: the world that mpirun started, and the main() of tests that run in it.
// SPDX-License-Identifier: Apache-2.0
#include "comm/rank_worlds.hpp"
#include "mpi.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace nanoday {
namespace {

MpiSession* session = nullptr;  // between the first and the last line of main()

RankWorld mpi_world(const std::string& name, int ranks_per_node, std::size_t longest_piece) {
  const auto run = [=](const auto& body) { body(*session->world(ranks_per_node, longest_piece)); };
  return {fmt::format("mpi_{}_{}", session->size(), name), session->size(), ranks_per_node, run};
}

/// A test that fails on one rank fails on all; ranks other than 0 say only what went wrong there.
class Together : public testing::EmptyTestEventListener {
 public:
  explicit Together(Transport& world) : world_(world) {}
  void OnTestPartResult(const testing::TestPartResult& part) override {
    if (part.failed() && world_.rank() != 0)
      fmt::print(stderr, "rank {}: {}:{}: {}\n", world_.rank(), part.file_name() ? part.file_name() : "?",
                 part.line_number(), part.message());
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    std::vector<std::int64_t> failed{test.result()->Failed()};
    world_.all_reduce_sum(View<std::int64_t>(failed));
    if (failed[0] > 0 && !test.result()->Failed())
      ADD_FAILURE() << "failed on " << failed[0] << " other rank(s)";
  }

 private:
  Transport& world_;
};

/// (program, --gtest_output=…): one result file per number of ranks, named as the test is.
std::vector<std::string> arguments(const char* program, const MpiSession& ranks) {
  const char* const wanted = std::getenv("GTEST_OUTPUT");
  const std::string format = wanted ? wanted : "";
  if (!format.starts_with("xml:") || !format.ends_with("/")) return {program};
  if (ranks.rank() != 0) return {program, "--gtest_output="};
  std::string stem = std::filesystem::path(program).filename();  // <stem>_mpi_test
  stem.resize(stem.size() - std::string("_test").size());
  return {program, fmt::format("--gtest_output={}{}_{}_test.xml", format, stem, ranks.size())};
}

/// Ranks on each of the real nodes; tests over several hosts say it (scripts/check_hosts.py).
int real_ranks_per_node() {
  const char* const text = std::getenv("NANODAY_TEST_RANKS_PER_NODE");
  return text ? std::atoi(text) : 0;
}

}  // namespace

// Nodes of two and messages cut into pieces of 1,000 bytes, so that one machine shows what many do.
std::vector<RankWorld> rank_worlds() {
  const std::size_t longest = std::size_t(1) << 30;
  std::vector<RankWorld> worlds{mpi_world("ranks", 0, longest), mpi_world("ranks_in_pieces", 0, 1000)};
  for (RankWorld& world : worlds) world.ranks_per_node = real_ranks_per_node();
  if (session->size() > 2) worlds.push_back(mpi_world("ranks_nodes_of_2", 2, longest));
  return worlds;
}

namespace {

int run_tests(MpiSession& ranks, int argc, char** argv) {
  session = &ranks;
  std::vector<std::string> added = arguments(argv[0], ranks);
  for (int k = 1; k < argc; ++k) added.emplace_back(argv[k]);
  std::vector<char*> pointers;
  for (std::string& argument : added) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  testing::InitGoogleTest(&count, pointers.data());
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (ranks.rank() != 0) delete listeners.Release(listeners.default_result_printer());
  const auto world = ranks.world();
  listeners.Append(new Together(*world));
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  nanoday::MpiSession ranks(argc, argv);
  try {
    return nanoday::run_tests(ranks, argc, argv);
  } catch (const std::exception& error) {
    const auto say = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
    return ranks.fail(1, error.what(), say);
  }
}
