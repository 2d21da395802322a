// Dipole moments of molecules.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/dipole_distribution.hpp"

#include "core/units.hpp"
#include "md/analysis/near_atoms.hpp"
#include "md/analysis/near_pairs.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace nanoday {
namespace {

constexpr double k_bin_width = 0.05;    // [D]; in liquid water the distribution is some 0.3 D wide
constexpr std::size_t k_bins = 400;     // to 20 D
constexpr double k_longest_bond = 2.0;  // [Å]; an ion farther than this is not part of a molecule
constexpr double k_neutral = 1e-3;      // [e]; charges may have passed through single precision
constexpr std::size_t k_none = std::numeric_limits<std::size_t>::max();

struct Nearest {
  std::size_t host = k_none;  ///< position in the atoms' arrays
  double distance2 = std::numeric_limits<double>::infinity();
};

/// The longest bond that the box has room for.
double longest_bond(const Box& box) {
  const Vec3 h = box.heights();
  return std::min(k_longest_bond, 0.5 * std::min({h.x, h.y, h.z}));
}

/// The nearest host within reach of each ion; hosts themselves have none.
std::vector<Nearest> nearest_hosts(const Box& box, const NearAtoms& atoms, const std::vector<char>& is_host) {
  std::vector<Nearest> nearest(atoms.size());
  for_each_near_pair(box, atoms.position, longest_bond(box),
                     [&](std::size_t i, std::size_t j, double distance2) {
                       if (is_host[i] == is_host[j]) return;
                       const std::size_t host = is_host[i] ? i : j, ion = is_host[i] ? j : i;
                       Nearest& best = nearest[ion];
                       const bool tie = distance2 == best.distance2 && best.host != k_none;
                       if (distance2 < best.distance2 || (tie && atoms.id[host] < atoms.id[best.host]))
                         best = {host, distance2};
                     });
  return nearest;
}

/// Positions in the atoms' arrays, in input order: sums must depend neither on the order in memory nor on
/// ranks.
std::vector<std::size_t> input_order(const NearAtoms& atoms) {
  std::vector<std::size_t> order(atoms.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return atoms.id[i] < atoms.id[j]; });
  return order;
}

/// x_to − x_from, nearest image. \pre it is shorter than half the smallest height of the box
Vec3 nearest_image(const Box& box, Vec3 from, Vec3 to) {
  const Vec3 f = box.fractional(to) - box.fractional(from);
  const auto [a, b, c] = box.cell;
  return (f.x - std::round(f.x)) * a + (f.y - std::round(f.y)) * b + (f.z - std::round(f.z)) * c;
}

}  // namespace

DipoleDistribution::DipoleDistribution(TypeCharges charges)
    : charges_(std::move(charges)), histogram_(k_bin_width, k_bins) {}

// A host's rank sees the ions within one bond of it, and all hosts within one bond of these: two bonds from
// its domain. What ions farther out choose is not its to say.
void DipoleDistribution::sample(Transport& ranks, const Box& box, const Atoms& atoms,
                                View<const Vec4> displacement) {
  Array<Vec4> of_own(displacement.begin(), displacement.begin() + atoms.nlocal);
  const NearAtoms near = near_atoms(ranks, box, atoms, 2 * longest_bond(box), &of_own);
  std::vector<char> is_host(near.size());
  std::vector<double> charge(near.n_own, 0);  // of the group whose host this is
  std::vector<Vec3> dipole(near.n_own);
  for (std::size_t i = 0; i < near.size(); ++i) {
    const auto type = static_cast<std::size_t>(near.type[i]);
    is_host[i] = charges_.wannier[type] != 0;
    if (!is_host[i] || i >= near.n_own) continue;
    charge[i] = charges_.ion[type] + charges_.wannier[type];
    dipole[i] = charges_.wannier[type] * xyz(of_own[i]);
  }
  const std::vector<Nearest> nearest = nearest_hosts(box, near, is_host);
  for (const std::size_t i : input_order(near)) {
    const std::size_t host = nearest[i].host;
    if (host >= near.n_own) continue;  // none, or another rank's
    const double q = charges_.ion[static_cast<std::size_t>(near.type[i])];
    charge[host] += q;
    dipole[host] = dipole[host] + q * nearest_image(box, near.position[host], near.position[i]);
  }
  std::vector<double> moment;
  for (std::size_t i = 0; i < near.n_own; ++i) {
    if (!is_host[i]) continue;
    if (std::abs(charge[i]) > k_neutral)
      ++charged_groups_;
    else
      moment.push_back(units::k_debye * norm(dipole[i]));
  }
  histogram_.add(moment);
}

void DipoleDistribution::gather(Transport& ranks) {
  ranks.all_reduce_sum(View<std::int64_t>(&charged_groups_, 1));
  if (ranks.rank() > 0) charged_groups_ = 0;
  histogram_.gather(ranks);
}

std::string DipoleDistribution::save() const {
  ByteWriter out;
  out.put(charged_groups_);
  histogram_.save(out);
  return out.bytes();
}

void DipoleDistribution::restore(std::string_view state) {
  ByteReader in(state, "the checkpoint's molecular dipoles");
  const auto charged_groups = in.get<std::int64_t>();
  histogram_.restore(in, "molecular dipoles");
  require(in.at_end(), "the checkpoint's molecular dipoles are damaged; use another copy");
  charged_groups_ = charged_groups;
}

void write_dipole_distribution(const std::string& path, const DipoleDistribution& dipoles,
                               NumberFormat numbers) {
  const Distribution found = dipoles.histogram().distribution();
  write_columns(path, "dipole[D],density[1/D]", found.middle, found.density, numbers);
}

}  // namespace nanoday
