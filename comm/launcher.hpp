// Was this process started by an MPI launcher? What its environment says.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace nanoday {

/// What launchers leave in the environment of the processes they start.
struct Launch {
  bool launched = false;  ///< a launcher started this process
  int size = 0;           ///< processes it started; 0 when it does not say
};

/// \param variable  value of an environment variable or null, as std::getenv
Launch find_launcher(const std::function<const char*(const char*)>& variable);

/// Throws InputError when a launcher started several processes that are one rank each: N copies of a run
/// would write the same files. \param with_mpi  this build can talk MPI
void check_launch(const Launch& launch, int mpi_size, bool with_mpi);

}  // namespace nanoday
