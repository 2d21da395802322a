// Atoms of the host as a DeviceAtoms that holds just what one operation needs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "cuda/atoms.hpp"

#include <numeric>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Positions; id counts them; one replica.
inline DeviceAtoms only_positions(Stream& stream, View<const Vec4> position) {
  DeviceAtoms atoms;
  atoms.nlocal = static_cast<std::int64_t>(position.size());
  std::vector<std::int64_t> id(position.size());
  std::iota(id.begin(), id.end(), 0);
  upload(stream, atoms.position, position);
  upload(stream, atoms.id, id);
  const std::vector<std::int32_t> replica(position.size(), 0);
  upload(stream, atoms.replica, replica);
  stream.synchronize();
  return atoms;
}

/// Velocities and masses; one replica.
inline DeviceAtoms moving_atoms(Stream& stream, View<const Vec4> velocity, View<const double> mass) {
  DeviceAtoms atoms;
  atoms.nlocal = static_cast<std::int64_t>(velocity.size());
  upload(stream, atoms.velocity, velocity);
  upload(stream, atoms.mass, mass);
  const std::vector<std::int32_t> replica(velocity.size(), 0);
  upload(stream, atoms.replica, replica);
  stream.synchronize();
  return atoms;
}

/// Local atoms and ghosts, for a neighbor search.
inline DeviceAtoms all_atoms(Stream& stream, const NeighborArgs& args) {
  DeviceAtoms atoms;
  atoms.nlocal = args.nlocal;
  atoms.nghost = static_cast<std::int64_t>(args.position.size()) - args.nlocal;
  upload(stream, atoms.position, args.position);
  upload(stream, atoms.type, args.type);
  upload(stream, atoms.id, args.id);
  const std::vector<std::int32_t> replica(args.position.size(), 0);
  upload(stream, atoms.replica, replica);
  stream.synchronize();
  return atoms;
}

/// Back into an array of the host; waits.
inline void read_back(Stream& stream, const DeviceArray<Vec4>& from, View<Vec4> to) {
  download(stream, to.data(), from, to.size());
  stream.synchronize();
}

}  // namespace nanoday::NANODAY_GPU
