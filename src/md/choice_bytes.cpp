// A low-rank choice to bytes and back.
// SPDX-License-Identifier: Apache-2.0
#include "md/choice_bytes.hpp"

#include <utility>

namespace nanoday {
namespace {

using Doubles = std::vector<double>;
using Indices = std::vector<std::int32_t>;

LowRankChoice::Basis get_basis(ByteReader& in) {
  LowRankChoice::Basis basis;
  basis.rank = in.get<int>();
  basis.project = in.get_array<Doubles>();
  basis.expand = in.get_array<Doubles>();
  return basis;
}

LowRankChoice::Centre get_centre(ByteReader& in) {
  LowRankChoice::Centre centre;
  centre.n_rotated = in.get<int>();
  centre.rotation = in.get_array<Doubles>();
  centre.inverse = in.get_array<Doubles>();
  centre.pair_p = in.get_array<Indices>();
  centre.pair_q = in.get_array<Indices>();
  centre.n_precise = in.get<std::int32_t>();
  centre.n_single = in.get<std::int32_t>();
  centre.bias_shift = in.get_array<Doubles>();
  centre.typical_z = in.get_array<Doubles>();
  return centre;
}

}  // namespace

void put_choice(ByteWriter& out, const LowRankChoice& choice) {
  out.put(static_cast<std::uint64_t>(choice.basis.size()));
  for (const auto& basis : choice.basis) {
    out.put(basis.rank);
    out.put_array(basis.project);
    out.put_array(basis.expand);
  }
  out.put(static_cast<std::uint64_t>(choice.centres.size()));
  for (const auto& centre : choice.centres) {
    out.put(centre.n_rotated);
    out.put_array(centre.rotation);
    out.put_array(centre.inverse);
    out.put_array(centre.pair_p);
    out.put_array(centre.pair_q);
    out.put(centre.n_precise);
    out.put(centre.n_single);
    out.put_array(centre.bias_shift);
    out.put_array(centre.typical_z);
  }
}

LowRankChoice get_choice(ByteReader& in) {
  LowRankChoice choice;
  const auto n_bases = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < n_bases; ++i) choice.basis.push_back(get_basis(in));
  const auto n_centres = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < n_centres; ++i) choice.centres.push_back(get_centre(in));
  return choice;
}

}  // namespace nanoday
