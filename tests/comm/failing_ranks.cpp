// A program whose ranks fail as its argument says, for mpi_session_test: alike, differently, one, late, none.
// SPDX-License-Identifier: Apache-2.0
#include "mpi.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

int main(int argc, char** argv) {
  nanoday::MpiSession ranks(argc, argv);
  const std::string how = argc > 1 ? argv[1] : "";
  const auto say = [](const std::string& text) { fmt::print(stderr, "said: {}\n", text); };
  const int rank = ranks.rank();
  if (how == "alike") return ranks.fail(2, "no such file", say);
  if (how == "differently")
    return ranks.fail(rank == 1 ? 2 : 1, rank == 1 ? "disk full" : nanoday::k_another_rank_failed, say);
  if (how == "late") {
    std::this_thread::sleep_for(std::chrono::milliseconds(500 * rank));
    return ranks.fail(1, "no such file", say);
  }
  if (how == "one") {
    if (rank == 1) return ranks.fail(5, "lost an atom", say);
    ranks.world()->barrier();  // never ends by itself
  }
  if (how == "one_after_the_others" && rank == 1) return ranks.fail(5, "disk full", say);
  fmt::print("rank {} of {} is done\n", rank, ranks.size());
  return 0;
}
