// Neighborhoods by a plain search over all atoms and ghosts: it runs once, when a run fails.
// SPDX-License-Identifier: Apache-2.0
#include "md/neighborhood.hpp"

#include "io/output_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace nanoday {
namespace {

std::string type_name(const Evaluator& evaluator, std::int64_t atom) {
  const auto& names = evaluator.model().type_map;
  const auto type = static_cast<std::size_t>(evaluator.atoms().type[atom]);
  return type < names.size() && !names[type].empty() ? names[type] : fmt::format("type {}", type);
}

/// extxyz wants one word per species.
std::string species(const Evaluator& evaluator, std::int64_t atom) {
  std::string name = type_name(evaluator, atom);
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

}  // namespace

std::string atom_label(const Evaluator& evaluator, std::int64_t atom) {
  return fmt::format("atom {} ({})", evaluator.atoms().id[atom] + 1, type_name(evaluator, atom));
}

std::vector<NearAtom> neighborhood(const Evaluator& evaluator, std::int64_t atom, double radius) {
  const Atoms& atoms = evaluator.atoms();
  const auto nall = std::min<std::int64_t>(atoms.nall(), static_cast<std::int64_t>(atoms.position.size()));
  std::vector<NearAtom> near;
  for (std::int64_t j = 0; j < nall; ++j) {
    if (j == atom) continue;
    const double distance = norm(xyz(atoms.position[j]) - xyz(atoms.position[atom]));
    if (distance <= radius) near.push_back({j, distance});
  }
  std::sort(near.begin(), near.end(), [&](const NearAtom& a, const NearAtom& b) {
    return a.distance != b.distance ? a.distance < b.distance : atoms.id[a.atom] < atoms.id[b.atom];
  });
  return near;
}

std::string describe_neighborhood(const Evaluator& evaluator, std::int64_t atom, double radius) {
  const Atoms& atoms = evaluator.atoms();
  const Vec3 x = xyz(atoms.position[atom]), v = xyz(atoms.velocity[atom]);
  std::string text = fmt::format(
      "neighborhood of {} at ({:.6f}, {:.6f}, {:.6f}) Å, velocity ({:.4g}, {:.4g}, "
      "{:.4g}) Å/ps",
      atom_label(evaluator, atom), x.x, x.y, x.z, v.x, v.y, v.z);
  if (atom < static_cast<std::int64_t>(evaluator.forces().force.size())) {
    const Vec3 f = xyz(evaluator.forces().force[atom]);
    text += fmt::format(", force ({:.4g}, {:.4g}, {:.4g}) eV/Å", f.x, f.y, f.z);
  }
  text += fmt::format("; atoms within {:g} Å:\n", radius);
  const char* const ghost = evaluator.ranks().size() == 1 ? "  (periodic image)" : "  (ghost)";
  for (const NearAtom& near : neighborhood(evaluator, atom, radius))
    text += fmt::format("  {:<16} {:9.4f} Å{}\n", atom_label(evaluator, near.atom), near.distance,
                        near.atom >= atoms.nlocal ? ghost : "");
  return text;
}

std::string neighborhood_extxyz(const Evaluator& evaluator, std::int64_t atom, double radius) {
  const Atoms& atoms = evaluator.atoms();
  const auto near = neighborhood(evaluator, atom, radius);
  std::string text =
      fmt::format("{}\nProperties=species:S:1:pos:R:3:id:I:1 pbc=\"F F F\"\n", near.size() + 1);
  const auto line = [&](std::int64_t i) {
    const Vec3 x = xyz(atoms.position[i]);
    text +=
        fmt::format("{} {:.8f} {:.8f} {:.8f} {}\n", species(evaluator, i), x.x, x.y, x.z, atoms.id[i] + 1);
  };
  line(atom);
  for (const NearAtom& each : near) line(each.atom);
  return text;
}

std::string write_neighborhood(const std::string& folder, const Evaluator& evaluator, std::int64_t atom,
                               double radius) {
  const std::string path = (std::filesystem::path(folder) / "neighborhood.extxyz").string();
  const std::string own = fmt::format("{}.{}", path, evaluator.ranks().rank());
  atomic_write(own, neighborhood_extxyz(evaluator, atom, radius));
  replace_file(own, path, "");
  return path;
}

}  // namespace nanoday
