// Exact sums over ranks: the same bits whoever holds which summand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/exact_sum.hpp"
#include "atoms/forces.hpp"
#include "transport.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace nanoday {

/// Collective: every element becomes its sum over all ranks.
inline void all_reduce_sum(Transport& transport, View<ExactSum> sums) {
  if (transport.size() == 1 || sums.empty()) return;
  std::vector<ExactSum::Limbs> limbs;
  for (const ExactSum& sum : sums) limbs.push_back(sum.limbs());
  transport.all_reduce_sum(View<std::int64_t>(limbs.front().data(), limbs.size() * limbs.front().size()));
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = ExactSum::from_limbs(limbs[k]);
}

/// Collective: the sum over all ranks' atoms; every rank gets the same bits.
inline double total(Transport& transport, AtomSum sum) {
  if (sum.exact)
    all_reduce_sum(transport, View<ExactSum>(&sum.fixed, 1));
  else
    transport.all_reduce_sum(View<double>(&sum.plain, 1));
  return sum.value();
}

/// Collective: energy and virial become those of all ranks.
inline void share_totals(Transport& transport, const Needs& needs, Forces& forces) {
  if (transport.size() == 1 || !(needs.energy || needs.virial)) return;
  if (!forces.fixed_point) {
    std::array<double, 10> sums{forces.energy};
    std::copy(forces.virial.begin(), forces.virial.end(), sums.begin() + 1);
    transport.all_reduce_sum(View<double>(sums.data(), sums.size()));
    forces.energy = sums[0];
    std::copy(sums.begin() + 1, sums.end(), forces.virial.begin());
    return;
  }
  std::array<ExactSum, 10> sums{forces.exact_energy};
  std::copy(forces.exact_virial.begin(), forces.exact_virial.end(), sums.begin() + 1);
  all_reduce_sum(transport, View<ExactSum>(sums.data(), sums.size()));
  forces.exact_energy = sums[0];
  forces.energy = sums[0].value();
  for (std::size_t c = 0; c < 9; ++c) {
    forces.exact_virial[c] = sums[1 + c];
    forces.virial[c] = sums[1 + c].value();
  }
}

}  // namespace nanoday
