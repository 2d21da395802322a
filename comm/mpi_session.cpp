// MPI's start and end, and what happens when ranks fail.
// SPDX-License-Identifier: Apache-2.0
#include "launcher.hpp"
#include "mpi.hpp"
#include "mpi_transport.hpp"
#include "transport_parts.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace nanoday {

struct MpiSession::State {
  bool started = false;
  int rank = 0, size = 1;
  MPI_Comm failing = MPI_COMM_NULL;  ///< only ranks that fail speak here
};

MpiSession::MpiSession(int& argc, char**& argv) : state_(std::make_unique<State>()) {
  const Launch launch = find_launcher(std::getenv);
  // Alone without a launcher, MPI would cost a third of a second and may not work (login nodes).
  if (!launch.launched) return;
  int level = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &level), "starting");
  state_->started = true;
  MPI_Comm_rank(MPI_COMM_WORLD, &state_->rank);
  MPI_Comm_size(MPI_COMM_WORLD, &state_->size);
  try {
    check_launch(launch, state_->size, mpi_available());
    require_run(level >= MPI_THREAD_SERIALIZED,
                "this MPI does not serve programs with threads (its level is {}); use another one", level);
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &state_->failing), "starting");
  } catch (...) {
    MPI_Finalize();
    throw;
  }
}

MpiSession::~MpiSession() {
  if (!state_->started) return;
  MPI_Comm_free(&state_->failing);
  MPI_Finalize();
}

std::unique_ptr<Transport> MpiSession::world(int ranks_per_node, std::size_t longest_piece) {
  if (!state_->started) return make_self_transport();
  return make_mpi_transport(ranks_per_node, longest_piece);
}

int MpiSession::rank() const { return state_->rank; }
int MpiSession::size() const { return state_->size; }

namespace {

/// One rank's reason to fail, of a size that all ranks know.
struct Failure {
  int code = 1;
  std::array<char, 2044> text{};
};

Failure failure_of(int code, const std::string& reason) {
  Failure failure{code, {}};
  std::copy_n(reason.data(), std::min(reason.size(), failure.text.size() - 1), failure.text.data());
  return failure;
}

/// Waits until all ranks are here, for two seconds at most.
bool all_are_here(MPI_Comm comm) {
  using namespace std::chrono;
  MPI_Request request;
  if (MPI_Ibarrier(comm, &request) != MPI_SUCCESS) return false;
  const auto end = steady_clock::now() + seconds(2);
  for (int done = 0;;) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done || steady_clock::now() > end) return done;
    std::this_thread::sleep_for(milliseconds(1));
  }
}

/// Says every reason once, with the first rank that has it unless all have the same; returns the first's
/// code.
int say_all(const std::vector<Failure>& failures, const std::function<void(const std::string&)>& say) {
  std::vector<std::pair<std::size_t, std::string>> reasons;  // first rank, text
  for (std::size_t r = 0; r < failures.size(); ++r) {
    const std::string text = failures[r].text.data();
    const auto same = [&](const auto& reason) { return reason.second == text; };
    if (std::none_of(reasons.begin(), reasons.end(), same)) reasons.emplace_back(r, text);
  }
  const bool one = reasons.size() == 1;
  if (!one) std::erase_if(reasons, [](const auto& reason) { return reason.second == k_another_rank_failed; });
  for (const auto& [rank, text] : reasons) say(one ? text : fmt::format("rank {}: {}", rank, text));
  return failures[reasons.front().first].code;
}

}  // namespace

int MpiSession::fail(int code, const std::string& reason,
                     const std::function<void(const std::string&)>& say) {
  if (state_->size == 1) {
    say(reason);
    return code;
  }
  if (!all_are_here(state_->failing)) {
    say(fmt::format("rank {}: {}", state_->rank, reason));
    MPI_Abort(MPI_COMM_WORLD, code);
  }
  const Failure mine = failure_of(code, reason);
  std::vector<Failure> all(state_->rank == 0 ? static_cast<std::size_t>(state_->size) : 0);
  MPI_Gather(&mine, sizeof mine, MPI_BYTE, all.data(), sizeof mine, MPI_BYTE, 0, state_->failing);
  if (state_->rank == 0) code = say_all(all, say);
  MPI_Bcast(&code, 1, MPI_INT, 0, state_->failing);
  return code;
}

bool mpi_available() { return true; }

}  // namespace nanoday
