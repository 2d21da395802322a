// What every thermostat does: change velocities at three places of a step and account for the heat.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "backend/resident.hpp"
#include "transport.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// The atoms a bath acts on: this rank's, with sums over those of all ranks.
struct MovingAtoms {
  Backend& backend;
  Atoms& atoms;
  Transport& ranks;

  /// Σ ½ m v² over all ranks [eV]; the same bits on each. Collective.
  double kinetic_energy() const;
  void scale_velocities(double factor) const { backend.scale_velocities(atoms.velocity, factor); }
};

/// Couples the atoms to a heat bath. A step is: before · half kick · drift · forces · half kick · after;
/// when splits_drift() the drift is two halves with middle() between them (BAOAB).
class Thermostat {
 public:
  explicit Thermostat(const BathSettings& settings = {}) : settings_(settings) {}
  virtual ~Thermostat() = default;
  virtual void before(const MovingAtoms&, std::int64_t /*step*/) {}
  virtual void middle(const MovingAtoms&, std::int64_t /*step*/) {}
  virtual void after(const MovingAtoms&, std::int64_t /*step*/) {}
  virtual bool splits_drift() const { return false; }
  /// Bath energy [eV]: kinetic + potential + energy() is conserved.
  virtual double energy() const = 0;
  /// Everything needed to continue exactly; restore() takes what state() gave (throws InputError when the
  /// length is wrong).
  virtual std::vector<double> state() const = 0;
  virtual void restore(const std::vector<double>& state) = 0;
  /// The same bath in plain numbers, for machines that run it themselves; state() means the same there.
  const BathSettings& settings() const { return settings_; }

 private:
  BathSettings settings_;
};

struct ThermostatOptions {
  double temperature = 300;  ///< [K]
  double tau = 0.1;          ///< [ps]
  double dt = 0.0005;        ///< [ps]
  double degrees_of_freedom = 0;
  std::uint64_t seed = 1;
};

/// What a machine needs to know of such a bath.
BathSettings bath_settings(BathKind kind, const ThermostatOptions& options);

/// No bath: constant energy.
std::unique_ptr<Thermostat> make_no_thermostat();
/// Nose-Hoover chain of three, Suzuki-Yoshida steps. Martyna, Tuckerman, Tobias & Klein, Mol. Phys. 87, 1117
/// (1996). `tau` is the period scale: Q1 = N_f kT tau².
std::unique_ptr<Thermostat> make_nose_hoover(const ThermostatOptions& options);
/// Langevin dynamics, BAOAB splitting. Leimkuhler & Matthews, Appl. Math. Res. Express 2013, 34. `tau` = 1/γ.
std::unique_ptr<Thermostat> make_langevin(const ThermostatOptions& options);
/// Stochastic velocity rescaling. Bussi, Donadio & Parrinello, J. Chem. Phys. 126, 014101 (2007), eq. A7.
std::unique_ptr<Thermostat> make_velocity_rescaling(const ThermostatOptions& options);

}  // namespace nanoday
