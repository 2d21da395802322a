// MpiSession of a build without MPI: one rank.
// SPDX-License-Identifier: Apache-2.0
#include "launcher.hpp"
#include "mpi.hpp"

#include <cstdlib>

namespace nanoday {

struct MpiSession::State {};

MpiSession::MpiSession(int&, char**&) { check_launch(find_launcher(std::getenv), 1, mpi_available()); }
MpiSession::~MpiSession() = default;

std::unique_ptr<Transport> MpiSession::world(int, std::size_t) { return make_self_transport(); }
int MpiSession::rank() const { return 0; }
int MpiSession::size() const { return 1; }

int MpiSession::fail(int code, const std::string& reason,
                     const std::function<void(const std::string&)>& say) {
  say(reason);
  return code;
}

bool mpi_available() { return false; }

}  // namespace nanoday
