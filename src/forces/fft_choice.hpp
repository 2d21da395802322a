// How ranks share the transforms of a charge mesh: the fastest way by a cost model, or the one asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "transport.hpp"

#include <array>
#include <optional>
#include <string>

namespace nanoday {

/// What the ways differ by, as plain numbers.
struct FftProblem {
  std::array<int, 3> mesh{};          ///< points along a, b, c
  std::array<int, 3> ranks{1, 1, 1};  ///< domains along a, b, c
  Differentiation differentiation = Differentiation::ik;
  bool reproducible = false;
  bool bricks = true;  ///< the machine solves on meshes in bricks
  double solve_seconds =
      0;  ///< one rank alone, everything on the mesh but charges: transforms and influence [s]
  double product_seconds = 0;  ///< one complex multiply-add of a partial transform [s]
  double latency = 0;          ///< of an all-reduce over all ranks [s]
  double message = 0;          ///< from one rank to another [s]
  double byte_seconds = 0;     ///< of every byte of an all-reduce [s]

  int n_ranks() const { return ranks[0] * ranks[1] * ranks[2]; }
};

struct FftChoice {
  FftMethod method = FftMethod::local;
  bool asked = false;                           ///< nobody compared costs
  std::array<double, k_fft_methods> seconds{};  ///< of a solve by each method; infinite where it cannot be
};

/// Seconds that one solve takes beside spreading and gathering, by method: infinity for `local` with several
/// ranks and for meshes too large to be held by every node.
std::array<double, k_fft_methods> fft_seconds(const FftProblem& problem);

/// One rank: local. In reproducible mode replicated, whose bits are those of one rank; pencil where the mesh
/// is too large for that. Else the fastest. Throws InputError when `local` is asked for with several ranks.
FftChoice choose_fft(const FftProblem& problem, std::optional<FftMethod> asked);

/// Collective: measures what choose_fft() needs; the same numbers on all ranks. The mesh is timed at up to 48
/// points per axis and scaled to its size. \param domains ranks along a, b, c
FftProblem measure_fft(Backend& backend, Transport& transport, const LongRangePlan& plan,
                       const std::array<int, 3>& domains);

/// "replicated (0.31 ms per solve; reduction 0.84, pencil 0.62)", for the start of a run.
std::string fft_text(const FftChoice& choice);

}  // namespace nanoday
