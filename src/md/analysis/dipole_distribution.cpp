// Dipole moments of molecules.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/dipole_distribution.hpp"

#include "core/units.hpp"
#include "md/analysis/near_pairs.hpp"

#include <limits>

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

/// The nearest host within reach of each ion; hosts themselves have none.
std::vector<Nearest> nearest_hosts(const Box& box, const Atoms& atoms, const std::vector<char>& is_host) {
  std::vector<Nearest> nearest(static_cast<std::size_t>(atoms.nlocal));
  const Vec3 h = box.heights();
  const double reach = std::min(k_longest_bond, 0.5 * std::min({h.x, h.y, h.z}));
  for_each_near_pair(box, atoms, reach, [&](std::size_t i, std::size_t j, double distance2) {
    if (is_host[i] == is_host[j]) return;
    const std::size_t host = is_host[i] ? i : j, ion = is_host[i] ? j : i;
    Nearest& best = nearest[ion];
    const bool tie = distance2 == best.distance2 && best.host != k_none;
    if (distance2 < best.distance2 || (tie && atoms.id[host] < atoms.id[best.host])) best = {host, distance2};
  });
  return nearest;
}

/// Positions in the atoms' arrays, in input order: sums must not depend on the order in memory.
std::vector<std::size_t> input_order(const Atoms& atoms) {
  std::vector<std::size_t> order(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t i = 0; i < order.size(); ++i) order[static_cast<std::size_t>(atoms.id[i])] = i;
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

void DipoleDistribution::sample(const Box& box, const Atoms& atoms, View<const Vec4> displacement) {
  const auto natoms = static_cast<std::size_t>(atoms.nlocal);
  std::vector<char> is_host(natoms);
  std::vector<double> charge(natoms, 0);  // of the group whose host this is
  std::vector<Vec3> dipole(natoms);
  for (std::size_t i = 0; i < natoms; ++i) {
    const auto type = static_cast<std::size_t>(atoms.type[i]);
    is_host[i] = charges_.wannier[type] != 0;
    if (!is_host[i]) continue;
    charge[i] = charges_.ion[type] + charges_.wannier[type];
    dipole[i] = charges_.wannier[type] * xyz(displacement[i]);
  }
  const std::vector<Nearest> nearest = nearest_hosts(box, atoms, is_host);
  for (const std::size_t i : input_order(atoms)) {
    const std::size_t host = nearest[i].host;
    if (host == k_none) continue;
    const double q = charges_.ion[static_cast<std::size_t>(atoms.type[i])];
    charge[host] += q;
    dipole[host] = dipole[host] + q * nearest_image(box, xyz(atoms.position[host]), xyz(atoms.position[i]));
  }
  std::vector<double> moment;
  for (std::size_t i = 0; i < natoms; ++i) {
    if (!is_host[i]) continue;
    if (std::abs(charge[i]) > k_neutral)
      ++charged_groups_;
    else
      moment.push_back(units::k_debye * norm(dipole[i]));
  }
  histogram_.add(std::move(moment));
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
