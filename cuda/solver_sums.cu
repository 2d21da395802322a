// What both long-range solvers end with: energy and virial from shares, and what went wrong.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/solver_sums.hpp"

#include "cuda/block_sums.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

struct TellStuck {
  static constexpr const char* k_name = "tell_stuck";
  const ChargeFlags* flags;
  std::int64_t* word;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (block.global() == 0) *word = flags->lost != 0 || flags->overflow != 0;
  }
};

/// A block per system.
struct FinishSums {
  static constexpr const char* k_name = "long_range_sums";
  static constexpr int k_threads = 256;
  const double* row;  ///< (systems, rows, 7)
  std::int64_t rows;
  bool energy, virial;
  double* sums;
  const std::uint32_t* halt;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (halt != nullptr && *halt != 0) return;  // nobody changes it here: the whole block leaves or none
    double sum[7] = {};
    const double* const mine = row + 7 * rows * block.block();
    for (std::int64_t r = block.thread(); r < rows; r += block.size())
      for (int j = 0; j < 7; ++j) sum[j] += mine[7 * r + j];
    const double total = block_sums(block, sum, block.shared<double>(0));
    const int j = block.thread();
    if (j < 7) sums[7 * block.block() + j] = (j == 0 ? energy : virial) ? total : 0;
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

void tell_stuck(Stream& stream, const ChargeFlags* flags, std::int64_t* word) {
  launch(stream, TellStuck{flags, word}, {1, k_warp, 0});
}

void finish_sums(Stream& stream, int systems, const double* partial, std::int64_t rows, const Needs& needs,
                 double* sums, const std::uint32_t* halt) {
  const bool energy = needs.energy || needs.atom_energy, virial = needs.virial || needs.atom_virial;
  launch(stream, FinishSums{partial, rows, energy, virial, sums, halt},
         {systems, FinishSums::k_threads, block_sums_bytes<7>(FinishSums::k_threads)});
}

}  // namespace nanoday::NANODAY_GPU
