// Reads stored reference numbers of DPLR models (layouts dplr-direct-1 and dplr-vectors-1, kind dplr-lammps).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/units.hpp"
#include "model/dipole_charge.hpp"
#include "model/model_file.hpp"
#include "model/plan_builder.hpp"
#include "reference/paths.hpp"
#include "reference/vectors.hpp"

#include <memory>

namespace nanoday::reference {

/// One direct sum of the training program. Arrays are flat.
struct DirectCase {
  std::string name;
  System system;
  double energy = 0, energy_short = 0, energy_long = 0;
  Numbers forces, virial;
  std::vector<int> selected;
  Numbers displacements;  ///< of the centroids of `selected`
};

struct DirectFile {
  std::shared_ptr<const Model> joined;  ///< energy model with the dipole model beside it
  std::vector<DirectCase> cases;
};

inline nlohmann::json read_json(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot open " + path);
  return nlohmann::json::parse(stream);
}

/// Throws std::runtime_error when the file is absent or the model holds other constants than the file.
inline DirectFile read_direct_file(const std::string& path) {
  const auto json = read_json(path);
  const auto at = [&](const char* key) { return spec_path(json.at(key).get<std::string>()); };
  DirectFile file;
  file.joined =
      std::make_shared<const Model>(with_wannier(read_model(at("model")), read_model(at("dipole_model"))));
  const DipoleCharge& charges = *file.joined->dipole_charge;
  const bool same = charges.ion_charge == json.at("charges").at("system").get<Numbers>() &&
                    charges.beta == json.at("ewald").at("beta") &&
                    charges.spacing == json.at("ewald").at("h");
  if (!same) throw std::runtime_error(path + " was made with other constants than its model holds");
  for (const auto& stored : json.at("cases")) {
    const VectorCase whole = read_case(stored);
    DirectCase c;
    c.name = whole.name;
    c.system = whole.system;
    c.energy = whole.energy;
    c.energy_short = stored.at("energy_sr");
    c.energy_long = stored.at("energy_el");
    c.forces = whole.forces;
    c.virial = whole.virial;
    c.selected = whole.selected;
    c.displacements = numbers_at(stored, "wannier_displacements");
    file.cases.push_back(c);
  }
  return file;
}

struct LammpsStep {
  std::int64_t number = 0;
  double energy_short = 0, energy_long = 0, energy_field = 0;
  Numbers virial;     ///< xx yy zz xy xz yz
  Numbers positions;  ///< unwrapped
  Numbers centroids;  ///< of the selected atoms, in any image
  Numbers velocities, forces;
};

struct LammpsCase {
  std::string name;
  std::shared_ptr<const Model> model;
  Box box;
  std::vector<std::int32_t> type;
  std::vector<double> mass;  ///< by type
  std::vector<int> selected;
  bool has_kspace = true;
  LongRangeOptions options;  ///< mesh, order, differentiation, field
  double skin = 0, dt = 0;
  std::vector<LammpsStep> steps;

  System system_at(const LammpsStep& step) const { return {box, type, rows_of(step.positions)}; }

  /// Where the run started. Masses carry LAMMPS's rounded unit factor, so that accelerations are its own.
  Atoms atoms() const {
    constexpr double k_lammps_mass_velocity2 = 1.0364269e-4;
    Atoms atoms = atoms_of(system_at(steps.at(0)));
    const auto velocity = rows_of(steps.at(0).velocities);
    for (std::size_t i = 0; i < type.size(); ++i) {
      atoms.velocity[i] = padded(velocity.at(i));
      atoms.mass[i] =
          mass.at(static_cast<std::size_t>(type[i])) * k_lammps_mass_velocity2 / units::k_mass_velocity2;
    }
    return atoms;
  }

  /// Every row of `rows` moved by the lattice vector that brings it nearest to the row of `wanted`.
  Numbers same_image(const Numbers& rows, const Numbers& wanted) const {
    std::vector<Vec3> moved;
    const auto from = rows_of(rows), to = rows_of(wanted);
    for (std::size_t i = 0; i < from.size(); ++i) {
      const Vec3 d = box.fractional(to.at(i) - from[i] + box.origin);
      moved.push_back(from[i] +
                      box.translation(int(std::lround(d.x)), int(std::lround(d.y)), int(std::lround(d.z))));
    }
    return flat(moved);
  }
};

inline LammpsStep read_step(const nlohmann::json& json) {
  LammpsStep step;
  step.number = json.at("step");
  step.energy_short = json.at("e_sr");
  step.energy_long = json.at("e_long");
  step.energy_field = json.at("e_field");
  step.virial = json.at("virial_xx_yy_zz_xy_xz_yz").get<Numbers>();
  step.positions = json.at("coords_unwrapped").get<Numbers>();
  step.centroids = json.at("wannier_coords").get<Numbers>();
  step.velocities = json.at("velocities").get<Numbers>();
  step.forces = json.at("forces").get<Numbers>();
  return step;
}

inline LongRangeOptions read_options(const nlohmann::json& json) {
  LongRangeOptions options;
  const auto& kspace = json.at("kspace");
  options.mesh = {10, 10, 10};  // without k-space any will do: its constant is nothing
  if (!kspace.is_null()) {
    options.mesh = kspace.at("mesh").get<std::array<int, 3>>();
    options.order = kspace.at("order");
    options.differentiation = kspace.at("diff") == "ad" ? Differentiation::ad : Differentiation::ik;
  }
  if (!json.at("efield").is_null()) options.field.amplitude = rows_of(json.at("efield").get<Numbers>()).at(0);
  return options;
}

/// The model with the case's own charges and β. Throws std::runtime_error for another C than metal units
/// have.
inline std::shared_ptr<const Model> read_case_model(const nlohmann::json& json) {
  const Model model = read_model(spec_path(json.at("model").get<std::string>()));
  const auto ion = json.at("charges_by_type").get<Numbers>(), wannier = json.at("wc_charges").get<Numbers>();
  const auto carriers = json.at("sel_type").get<std::vector<int>>();
  DipoleChargeSettings settings;
  for (int t = 0; t < model.n_types(); ++t)
    settings.ion_charge[model.type_map.at(static_cast<std::size_t>(t))] = ion.at(static_cast<std::size_t>(t));
  for (std::size_t k = 0; k < carriers.size(); ++k)
    settings.wannier_charge[model.type_map.at(static_cast<std::size_t>(carriers[k]))] = wannier.at(k);
  const auto& kspace = json.at("kspace");
  if (!kspace.is_null()) {
    if (kspace.at("qqrd2e") != 14.399645) throw std::runtime_error("a case is not in metal units");
    settings.beta = kspace.at("gewald").get<double>();
  }
  return std::make_shared<const Model>(with_wannier(model, *model.dipole_charge->wannier, settings));
}

inline LammpsCase read_lammps_case(const nlohmann::json& json) {
  LammpsCase c;
  c.name = json.at("name");
  c.model = read_case_model(json);
  const auto h = json.at("box_hxx_hyy_hzz_xy_xz_yz").get<Numbers>();
  c.box = Box::triclinic({Vec3{h.at(0), 0, 0}, Vec3{h.at(3), h.at(1), 0}, Vec3{h.at(4), h.at(5), h.at(2)}});
  c.box.origin = rows_of(json.at("box_lo").get<Numbers>()).at(0);
  c.type = json.at("types").get<std::vector<std::int32_t>>();
  c.mass = json.at("masses_by_type").get<Numbers>();
  c.selected = json.at("selected").get<std::vector<int>>();
  c.has_kspace = !json.at("kspace").is_null();
  c.options = read_options(json);
  c.skin = json.at("skin");
  c.dt = json.at("timestep_ps");
  for (const auto& step : json.at("steps")) c.steps.push_back(read_step(step));
  return c;
}

/// Throws std::runtime_error when the file is absent or holds nothing.
inline std::vector<LammpsCase> read_lammps_cases(const std::string& path) {
  std::vector<LammpsCase> cases;
  const auto json = read_json(path);
  for (const auto& c : json.at("cases")) cases.push_back(read_lammps_case(c));
  if (cases.empty()) throw std::runtime_error(path + " holds no cases");
  return cases;
}

}  // namespace nanoday::reference
