// MPI as a transport, and what a program owes MPI when it starts, ends and fails.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

#include <functional>
#include <memory>
#include <string>

namespace nanoday {

/// MPI from the program's first to its last line. A build without MPI, and a program started without a
/// launcher, have one rank.
class MpiSession {
 public:
  /// Starts MPI where this build has it and a launcher started the program. Refuses (InputError) to start as
  /// one rank of one under a launcher of several, whose MPI is another one: N copies of a run would write the
  /// same files.
  MpiSession(int& argc, char**& argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  /// Collective: all ranks. It may be called more than once, and its result must not outlive the session.
  /// \param ranks_per_node  0: as the machine says; else nodes are simulated (nodes_in_order())
  /// \param longest_piece   bytes that go as one MPI message; longer messages go in pieces
  std::unique_ptr<Transport> world(int ranks_per_node = 0, std::size_t longest_piece = std::size_t(1) << 30);

  int rank() const;
  int size() const;

  /// Ends this rank after an error. When every rank fails within two seconds, rank 0 says each reason once
  /// (and leaves out k_another_rank_failed when there is a better one); otherwise the others go on working or
  /// wait for this one: it says its own and MPI ends them all. \param say  prints one reason \return the exit
  /// code, the same for all ranks; does not return when MPI ends them
  int fail(int code, const std::string& reason, const std::function<void(const std::string&)>& say);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// True when this build can talk MPI.
bool mpi_available();

}  // namespace nanoday
