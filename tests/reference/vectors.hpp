// Reads stored reference numbers (layout dp-vectors-1).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/compare.hpp"
#include "reference/evaluate.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace nanoday::reference {

/// One configuration with what the reference program gives for it. Arrays are flat, empty when not stored.
struct VectorCase {
  std::string name;
  System system;
  double energy = 0;
  Numbers forces;                   ///< (N · 3)
  Numbers virial;                   ///< (9)
  Numbers atom_energies;            ///< (N)
  Numbers atom_virials;             ///< (N · 9)
  double atom_virials_sum_abs = 0;  ///< larger systems only, else 0
  std::vector<int> selected;        ///< dipole: atoms that carry a vector
  Numbers atom_tensors;             ///< (n_selected · 3)
  Numbers global_tensor;            ///< (3)
  Numbers global_forces;            ///< (3 · N · 3) −∂μ_k/∂r
  Numbers global_virials;           ///< (3 · 9)
};

struct VectorFile {
  std::string model;  ///< relative to the folder above the vectors
  std::vector<VectorCase> cases;
};

inline std::vector<Vec3> rows_of(const Numbers& numbers) {
  std::vector<Vec3> rows;
  for (std::size_t k = 0; k + 2 < numbers.size(); k += 3)
    rows.push_back({numbers[k], numbers[k + 1], numbers[k + 2]});
  return rows;
}

inline Numbers numbers_at(const nlohmann::json& json, const char* key) {
  return json.contains(key) ? json.at(key).get<Numbers>() : Numbers{};
}

inline VectorCase read_case(const nlohmann::json& json) {
  VectorCase c;
  c.name = json.at("name");
  c.system.type = json.at("types").get<std::vector<std::int32_t>>();
  c.system.position = rows_of(json.at("coords").get<Numbers>());
  if (!json.at("box").is_null()) {
    const auto cell = rows_of(json.at("box").get<Numbers>());
    c.system.box = Box::triclinic({cell.at(0), cell.at(1), cell.at(2)});
  }
  c.energy = json.value("energy", 0.0);
  c.forces = numbers_at(json, "forces");
  c.virial = numbers_at(json, "virial");
  c.atom_energies = numbers_at(json, "atom_energies");
  c.atom_virials = numbers_at(json, "atom_virials");
  c.atom_virials_sum_abs = json.value("atom_virials_sum_abs", 0.0);
  c.selected = json.value("selected", std::vector<int>{});
  c.atom_tensors = numbers_at(json, "atom_tensors");
  c.global_tensor = numbers_at(json, "global_tensor");
  c.global_forces = numbers_at(json, "global_forces");
  c.global_virials = numbers_at(json, "global_virials");
  return c;
}

/// Throws std::runtime_error when the file is absent or has another layout.
inline VectorFile read_vectors(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot open " + path);
  const auto json = nlohmann::json::parse(stream);
  VectorFile file;
  file.model = json.at("model");
  for (const auto& c : json.at("cases")) file.cases.push_back(read_case(c));
  if (file.cases.empty()) throw std::runtime_error(path + " holds no cases");
  return file;
}

}  // namespace nanoday::reference
