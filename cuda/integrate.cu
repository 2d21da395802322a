// Moving atoms: kicks, drifts, noise, and watches; one thread per atom, bound by memory.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/integrate.hpp"

#include "cuda/motion.hpp"
#include "math/thermostats.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

NANODAY_DEVICE bool halted(const std::uint32_t* halt) { return halt != nullptr && *halt != 0; }

NANODAY_DEVICE int replica_of(const std::int32_t* replica, std::int64_t i) {
  return replica == nullptr ? 0 : replica[i];
}

NANODAY_DEVICE bool moved_too_far(const Vec4& x, const Vec4& reference, double limit2) {
  const Vec3 d = xyz(x) - xyz(reference);
  return !(dot(d, d) <= limit2);  // a NaN too: the rebuild names the atom
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
    if (i < n && !halted(halt)) velocity[i] = kicked(velocity[i], force[i], mass[i], dt);
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
    if (i < n && !halted(halt)) position[i] = drifted(position[i], velocity[i], dt);
  }
};

struct FinishCoupling {
  static constexpr const char* k_name = "scale_velocities";
  Vec4* velocity;
  const std::int32_t* replica;
  SystemState* state;
  const std::uint32_t* halt;
  std::int64_t n;
  int n_replicas;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (halted(halt)) return;
    if (i < n) velocity[i] = padded(state[replica_of(replica, i)].scale * xyz(velocity[i]));
    if (i < n_replicas) ++state[i].step;
  }
};

struct DrawNoise {
  const double* mass;
  const std::int64_t* id;
  const std::int32_t* replica;
  const SystemState* state;
  Noise noise;

  NANODAY_DEVICE Vec4 velocity(const Vec4& v, std::int64_t i) const {
    const int r = replica_of(replica, i);
    return padded(langevin_velocity(xyz(v), noise.c, langevin_width2(noise.c, noise.kT[r]), mass[i],
                                    noise.seed[r], static_cast<std::uint64_t>(state[r].step + 1),
                                    static_cast<std::uint64_t>(id[i])));
  }
};

struct OrnsteinUhlenbeck {
  static constexpr const char* k_name = "ornstein_uhlenbeck";
  Vec4* velocity;
  DrawNoise noise;
  const std::uint32_t* halt;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i < n && !halted(halt)) velocity[i] = noise.velocity(velocity[i], i);
  }
};

struct NoiseAndDrift {
  static constexpr const char* k_name = "noise_and_drift";
  Vec4 *position, *velocity;
  const Vec4* reference;
  DrawNoise noise;
  Signals* signals;
  std::int64_t n;
  double dt, limit2;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (signals->halt != 0) return;  // nobody changes it here: the whole block leaves or none
    const std::int64_t i = block.global();
    bool moved = false;
    if (i < n) {
      const Vec4 v = noise.velocity(velocity[i], i), x = drifted(position[i], v, dt);
      velocity[i] = v;
      position[i] = x;
      moved = moved_too_far(x, reference[i], limit2);
    }
    if (block.ballot(moved) != 0 && block.lane() == 0) signals->rebuild = 1;
  }
};

struct BeginStep {
  static constexpr const char* k_name = "integrate";
  Vec4 *position, *velocity;
  const Vec4 *force, *reference;
  const double* mass;
  const std::int32_t* replica;
  const SystemState* state;  ///< null: velocities are not scaled
  Signals* signals;
  std::int64_t n;
  double kick, drift;  ///< time steps [ps]
  double speed2, lost_distance, limit2;
  bool open, half_way;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (signals->halt != 0) return;  // nobody changes it here: the whole block leaves or none
    const std::int64_t i = block.global();
    bool absurd = false, moved = false;
    if (i < n) {
      Vec4 v = velocity[i], x = position[i];
      if (state != nullptr) v = padded(state[replica_of(replica, i)].scale * xyz(v));
      v = kicked(v, force[i], mass[i], kick);
      absurd = !(dot(xyz(v), xyz(v)) <= speed2) || (open && lost(x));
      x = drifted(x, v, drift);
      moved = !half_way && moved_too_far(x, reference[i], limit2);
      velocity[i] = v;
      position[i] = x;
    }
    const bool any_absurd = block.ballot(absurd) != 0, any_moved = block.ballot(moved) != 0;
    if (block.lane() != 0) return;
    if (any_absurd) signals->trouble = 1;
    if (any_moved) signals->rebuild = 1;
  }
  NANODAY_DEVICE bool lost(const Vec4& x) const {
    return !(std::fabs(x.x) < lost_distance && std::fabs(x.y) < lost_distance &&
             std::fabs(x.z) < lost_distance);
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
    const bool moved = i < n && moved_too_far(position[i], reference[i], limit2);
    if (block.ballot(moved) != 0 && block.lane() == 0 && signals->halt == 0) signals->rebuild = 1;
  }
};

DrawNoise draw_noise(const DeviceAtoms& atoms, const SystemState* state, const Noise& noise) {
  return {atoms.mass.data(), atoms.id.data(), replicas(atoms), state, noise};
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

void finish_coupling(Stream& stream, const DeviceAtoms& atoms, SystemState* state,
                     const std::uint32_t* halt) {
  launch(stream,
         FinishCoupling{atoms.velocity.data(), replicas(atoms), state, halt, atoms.nlocal, atoms.n_replicas},
         grid_for(std::max<std::int64_t>(atoms.nlocal, atoms.n_replicas)));
}

void ornstein_uhlenbeck(Stream& stream, const DeviceAtoms& atoms, const SystemState* state,
                        const Noise& noise, const std::uint32_t* halt) {
  launch(stream,
         OrnsteinUhlenbeck{atoms.velocity.data(), draw_noise(atoms, state, noise), halt, atoms.nlocal},
         grid_for(atoms.nlocal, 128));
}

void begin_step(Stream& stream, const DeviceAtoms& atoms, const SystemState* state,
                const MotionLimits& limits, bool noise_follows, Signals* signals) {
  const double speed = limits.max_move / limits.dt;
  const BeginStep step{atoms.position.data(),
                       atoms.velocity.data(),
                       atoms.force.data(),
                       atoms.reference.data(),
                       atoms.mass.data(),
                       replicas(atoms),
                       state,
                       signals,
                       atoms.nlocal,
                       limits.dt / 2,
                       noise_follows ? limits.dt / 2 : limits.dt,
                       speed * speed,
                       limits.lost_distance,
                       limits.displacement * limits.displacement,
                       limits.open,
                       noise_follows};
  launch(stream, step, grid_for(atoms.nlocal));
}

void noise_and_drift(Stream& stream, const DeviceAtoms& atoms, const SystemState* state, const Noise& noise,
                     const MotionLimits& limits, Signals* signals) {
  launch(stream,
         NoiseAndDrift{atoms.position.data(), atoms.velocity.data(), atoms.reference.data(),
                       draw_noise(atoms, state, noise), signals, atoms.nlocal, limits.dt / 2,
                       limits.displacement * limits.displacement},
         grid_for(atoms.nlocal, 128));
}

void watch_displacement(Stream& stream, const DeviceAtoms& atoms, double limit, Signals* signals) {
  launch(
      stream,
      WatchDisplacement{atoms.position.data(), atoms.reference.data(), signals, atoms.nlocal, limit * limit},
      grid_for(atoms.nlocal));
}

}  // namespace nanoday::NANODAY_GPU
