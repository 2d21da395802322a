// Moving atoms: kicks, drifts, noise, and watches; one thread per atom, bound by memory.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/integrate.hpp"

#include "core/units.hpp"
#include "math/thermostats.hpp"

#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

NANODAY_DEVICE bool halted(const std::uint32_t* halt) { return halt != nullptr && *halt != 0; }

NANODAY_DEVICE int replica_of(const std::int32_t* replica, std::int64_t i) {
  return replica == nullptr ? 0 : replica[i];
}

struct Kick {
  static constexpr const char* k_name = "kick";
  Vec4* velocity;
  const Vec4* force;
  const double* mass;
  const std::uint32_t* halt;
  std::int64_t n;
  double dt;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n || halted(halt)) return;
    const double s = dt * units::k_force_to_acceleration / mass[i];
    const Vec4 f = force[i];
    Vec4 v = velocity[i];
    v.x += s * f.x;
    v.y += s * f.y;
    v.z += s * f.z;
    velocity[i] = v;
  }
};

struct Drift {
  static constexpr const char* k_name = "drift";
  Vec4* position;
  const Vec4* velocity;
  const std::uint32_t* halt;
  std::int64_t n;
  double dt;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n || halted(halt)) return;
    const Vec4 v = velocity[i];
    Vec4 x = position[i];
    x.x += dt * v.x;
    x.y += dt * v.y;
    x.z += dt * v.z;
    position[i] = x;
  }
};

struct ScaleVelocities {
  static constexpr const char* k_name = "scale_velocities";
  Vec4* velocity;
  const std::int32_t* replica;
  const SystemState* state;
  const std::uint32_t* halt;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n || halted(halt)) return;
    velocity[i] = padded(state[replica_of(replica, i)].scale * xyz(velocity[i]));
  }
};

struct OrnsteinUhlenbeck {
  static constexpr const char* k_name = "ornstein_uhlenbeck";
  Vec4* velocity;
  const double* mass;
  const std::int64_t* id;
  const std::int32_t* replica;
  const SystemState* state;
  const double* kT;
  const std::uint64_t* seed;
  const std::uint32_t* halt;
  std::int64_t n;
  double c;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n || halted(halt)) return;
    const int r = replica_of(replica, i);
    velocity[i] = padded(langevin_velocity(xyz(velocity[i]), c, langevin_width2(c, kT[r]), mass[i], seed[r],
                                           static_cast<std::uint64_t>(state[r].step + 1),
                                           static_cast<std::uint64_t>(id[i])));
  }
};

struct FinishForces {
  static constexpr const char* k_name = "finish_forces";
  const std::array<std::int64_t, 4>* fixed;
  Vec4* force;
  Signals* signals;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    bool absurd = false;
    if (i < n) {
      const std::array<std::int64_t, 4> f = fixed[i];
      force[i] = {static_cast<double>(f[0]) / k_fixed_point_scale,
                  static_cast<double>(f[1]) / k_fixed_point_scale,
                  static_cast<double>(f[2]) / k_fixed_point_scale, 0};
      absurd = large(f[0]) || large(f[1]) || large(f[2]);
    }
    if (block.ballot(absurd) != 0 && block.lane() == 0 && signals->halt == 0) signals->trouble = 1;
  }
  static NANODAY_DEVICE bool large(std::int64_t f) {
    constexpr std::int64_t limit = std::int64_t{1} << 61;
    return f > limit || f < -limit;
  }
};

struct WatchDisplacement {
  static constexpr const char* k_name = "watch_displacement";
  const Vec4* position;
  const Vec4* reference;
  Signals* signals;
  std::int64_t n;
  double limit2;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    bool moved = false;
    if (i < n) {
      const Vec3 d = xyz(position[i]) - xyz(reference[i]);
      moved = !(dot(d, d) <= limit2);  // a NaN too: the rebuild names the atom
    }
    if (block.ballot(moved) != 0 && block.lane() == 0 && signals->halt == 0) signals->rebuild = 1;
  }
};

struct WatchMotion {
  static constexpr const char* k_name = "watch_motion";
  const Vec4* position;
  const Vec4* velocity;
  Signals* signals;
  std::int64_t n;
  double speed2, lost_distance;
  bool open;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    bool absurd = false;
    if (i < n) {
      const Vec3 v = xyz(velocity[i]);
      absurd = !(dot(v, v) <= speed2) || (open && lost(position[i]));
    }
    if (block.ballot(absurd) != 0 && block.lane() == 0 && signals->halt == 0) signals->trouble = 1;
  }
  NANODAY_DEVICE bool lost(const Vec4& x) const {
    return !(std::fabs(x.x) < lost_distance && std::fabs(x.y) < lost_distance &&
             std::fabs(x.z) < lost_distance);
  }
};

/// Null when there is one replica: its number need not be read.
const std::int32_t* replicas(const DeviceAtoms& atoms) {
  return atoms.n_replicas > 1 ? atoms.replica.data() : nullptr;
}

}  // namespace

// ------------------------------------------------------------------------------------------------------

void kick(Stream& stream, const DeviceAtoms& atoms, double dt, const std::uint32_t* halt) {
  launch(stream, Kick{atoms.velocity.data(), atoms.force.data(), atoms.mass.data(), halt, atoms.nlocal, dt},
         grid_for(atoms.nlocal));
}

void drift(Stream& stream, const DeviceAtoms& atoms, double dt, const std::uint32_t* halt) {
  launch(stream, Drift{atoms.position.data(), atoms.velocity.data(), halt, atoms.nlocal, dt},
         grid_for(atoms.nlocal));
}

void scale_velocities(Stream& stream, const DeviceAtoms& atoms, const SystemState* state,
                      const std::uint32_t* halt) {
  launch(stream, ScaleVelocities{atoms.velocity.data(), replicas(atoms), state, halt, atoms.nlocal},
         grid_for(atoms.nlocal));
}

void ornstein_uhlenbeck(Stream& stream, const DeviceAtoms& atoms, const SystemState* state, double c,
                        const double* kT, const std::uint64_t* seed, const std::uint32_t* halt) {
  launch(stream,
         OrnsteinUhlenbeck{atoms.velocity.data(), atoms.mass.data(), atoms.id.data(), replicas(atoms), state,
                           kT, seed, halt, atoms.nlocal, c},
         grid_for(atoms.nlocal, 128));
}

void finish_forces(Stream& stream, const std::array<std::int64_t, 4>* fixed, const DeviceAtoms& atoms,
                   Signals* signals) {
  launch(stream, FinishForces{fixed, atoms.force.data(), signals, atoms.nlocal}, grid_for(atoms.nlocal));
}

void watch_displacement(Stream& stream, const DeviceAtoms& atoms, double limit, Signals* signals) {
  launch(
      stream,
      WatchDisplacement{atoms.position.data(), atoms.reference.data(), signals, atoms.nlocal, limit * limit},
      grid_for(atoms.nlocal));
}

void watch_motion(Stream& stream, const DeviceAtoms& atoms, double dt, double max_move, double lost_distance,
                  bool open, Signals* signals) {
  const double speed = max_move / dt;
  launch(stream,
         WatchMotion{atoms.position.data(), atoms.velocity.data(), signals, atoms.nlocal, speed * speed,
                     lost_distance, open},
         grid_for(atoms.nlocal));
}

}  // namespace nanoday::NANODAY_GPU
