// A small displaced sample of the user's structure on which errors are measured.
// SPDX-License-Identifier: Apache-2.0
#include "forces/sample_system.hpp"

#include "math/counter_rng.hpp"
#include "periodic_images.hpp"

#include <algorithm>
#include <numeric>

namespace nanoday {
namespace {

constexpr std::uint64_t k_sample_seed = 20221001;  // any fixed number: measurements are repeatable
constexpr double k_displacement = 0.1;             // Å

double distance2(const Vec4& a, Vec3 b) { return dot(xyz(a) - b, xyz(a) - b); }

}  // namespace

Atoms displaced_copy(const Box& box, const Atoms& atoms, int copy) {
  Atoms out;
  out.nlocal = atoms.nlocal;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    Vec3 x = xyz(atoms.position[i]);
    if (copy != k_undisplaced) {
      const Vec3 d =
          normal3(k_sample_seed, static_cast<std::uint64_t>(copy), static_cast<std::uint64_t>(atoms.id[i]));
      x = x + (k_displacement / std::max(norm(d), 1e-12)) * d;
    }
    wrap(box, x);
    out.position.push_back(padded(x));
    out.type.push_back(atoms.type[i]);
    out.id.push_back(atoms.id[i]);
  }
  return out;
}

SampleSystem make_sample(Backend& backend, const Model& model, const Box& box, const Atoms& atoms, int copy) {
  Atoms all = displaced_copy(box, atoms, copy);
  PeriodicImages halo;
  halo.build(box, model.rcut, all);
  Vec3 middle{};
  for (std::int64_t i = 0; i < all.nlocal; ++i) middle = middle + (1.0 / all.nlocal) * xyz(all.position[i]);
  // Centres are the atoms nearest the middle, in order of id, so that they do not depend on memory order.
  std::vector<std::int32_t> row(static_cast<std::size_t>(all.nall()));
  std::iota(row.begin(), row.end(), 0);
  const auto key = [&](std::int32_t r) {
    return std::make_pair(distance2(all.position[r], middle), all.id[r]);
  };
  std::sort(row.begin(), row.begin() + all.nlocal, [&](auto a, auto b) { return key(a) < key(b); });
  SampleSystem s;
  s.n_ids = all.nlocal;
  s.n_centres = std::min<std::int64_t>(k_sample_atoms, all.nlocal);
  const double edge = std::sqrt(key(row[s.n_centres - 1]).first) + model.rcut;
  std::sort(row.begin(), row.begin() + s.n_centres, [&](auto a, auto b) { return all.id[a] < all.id[b]; });
  std::sort(row.begin() + s.n_centres, row.end(), [&](auto a, auto b) {
    const Vec4 &p = all.position[a], &q = all.position[b];
    return std::tie(all.id[a], p.x, p.y, p.z) < std::tie(all.id[b], q.x, q.y, q.z);
  });
  for (std::size_t k = 0; k < row.size(); ++k) {
    const std::int32_t r = row[k];
    if (static_cast<std::int64_t>(k) >= s.n_centres && distance2(all.position[r], middle) > edge * edge)
      continue;
    s.position.push_back(all.position[r]);
    s.type.push_back(all.type[r]);
    s.id.push_back(all.id[r]);
  }
  backend.build_neighbor_list({s.position, s.type, s.id, s.n_centres, model.n_types(), model.rcut}, s.list);
  return s;
}

SampleResult evaluate_sample(Backend& backend, PreparedModel& prepared, const Model& model,
                             const SampleSystem& sample) {
  EvaluationArgs args;
  args.position = sample.position;
  args.type = sample.type;
  args.nlocal = sample.n_centres;
  args.neighbors = &sample.list;
  Forces forces;
  SampleResult result;
  if (model.kind == ModelKind::energy) {
    args.needs.energy = true;
    backend.deep_potential(prepared, args, forces);
    result.energy = forces.energy;
  } else {
    Array<Vec4> cotangent;
    for (std::int64_t i = 0; i < sample.n_centres; ++i)
      cotangent.push_back(padded(normal3(k_sample_seed + 1, 0, static_cast<std::uint64_t>(sample.id[i]))));
    backend.dipole_forces(prepared, args, cotangent, forces);
  }
  finish(forces, static_cast<std::int64_t>(sample.position.size()));
  result.force.assign(static_cast<std::size_t>(3 * sample.n_ids), 0.0);
  for (std::size_t r = 0; r < sample.position.size(); ++r) {
    double* f = result.force.data() + 3 * sample.id[r];
    f[0] += forces.force[r].x;
    f[1] += forces.force[r].y;
    f[2] += forces.force[r].z;
  }
  return result;
}

}  // namespace nanoday
