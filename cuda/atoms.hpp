// A system in device memory: atoms, their ghosts, neighbor list, and the small numbers that steer a step.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"
#include "core/vec3.hpp"
#include "cuda/primitives.hpp"
#include "cuda/runtime.hpp"
#include "cuda/tiles.hpp"

#include <array>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// As nanoday::Atoms: local atoms first, ghosts behind them. Several independent systems (replicas) of equal
/// size may share the arrays; `replica` tells which one an atom belongs to, and atoms of different replicas
/// are never neighbors.
struct DeviceAtoms {
  std::int64_t nlocal = 0, nghost = 0;
  int n_replicas = 1;
  DeviceArray<Vec4> position;                      ///< (nall) [Å]
  DeviceArray<std::int32_t> type;                  ///< (nall)
  DeviceArray<std::int64_t> id;                    ///< (nall)
  DeviceArray<Vec4> velocity;                      ///< (nlocal) [Å/ps]
  DeviceArray<double> mass;                        ///< (nlocal) [u]
  DeviceArray<std::array<std::int32_t, 3>> image;  ///< (nlocal)
  DeviceArray<std::int32_t> replica;               ///< (nall)
  DeviceArray<Vec4> force;                         ///< (nlocal) [eV/Å]
  DeviceArray<Vec4> reference;                     ///< (nlocal) positions at the last list build
  DeviceArray<std::int32_t> ghost_owner;           ///< (nghost) local index, or nlocal + a row of `received`
  DeviceArray<Vec4> ghost_shift;                   ///< (nghost) from there [Å]
  DeviceArray<Vec4> received;                      ///< (nreceived) positions of other ranks' atoms [Å]
  std::int64_t nall() const { return nlocal + nghost; }
  /// Rows that forces are summed in: of local atoms, then of those received.
  std::int64_t nforces() const { return nlocal + static_cast<std::int64_t>(received.size()); }
};

/// Replica numbers, or null when there is one replica: they need not be read then.
inline const std::int32_t* replicas(const DeviceAtoms& atoms) {
  return atoms.n_replicas > 1 ? atoms.replica.data() : nullptr;
}

/// Neighbor list storage.
struct DeviceList {
  int n_types = 0;
  DeviceArray<std::int64_t> offset;  ///< (nlocal · n_types + 1)
  DeviceArray<std::int32_t> index;   ///< (pairs)
  ListView view() const { return {n_types, offset.data(), index.data()}; }
};

}  // namespace nanoday::NANODAY_GPU
