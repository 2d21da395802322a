// What a run starts from: a structure and how often it is repeated.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_structure.hpp"

#include "core/error.hpp"
#include "forces/system_setup.hpp"
#include "io/species.hpp"
#include "io/structure_file.hpp"
#include "io/virtual_atoms.hpp"

#include <algorithm>
#include <limits>

namespace nanoday {
namespace {

constexpr std::int64_t k_sample_atoms = 20000;

Structure read_cell(const RunConfig& config, const Model& model, std::vector<std::string>& notes) {
  auto frames = read_structures(config.structure, config.types);
  require(!frames.empty() && frames.back().natoms() > 0,
          "{} holds no atoms (a run needs some); give another file", config.structure);
  if (frames.size() > 1) notes.push_back(fmt::format("started from the last of {} frames", frames.size()));
  return prepare_for(model, std::move(frames.back()));
}

bool counts_from_one(const std::vector<std::int64_t>& id) {
  for (std::size_t i = 0; i < id.size(); ++i)
    if (id[i] != static_cast<std::int64_t>(i) + 1) return false;
  return true;
}

}  // namespace

RunStructure::RunStructure(const RunConfig& config, const Model& model, std::vector<std::string>& notes)
    : cell_(read_cell(config, model, notes)), type_map_(model.type_map), copies_(config.replicate) {
  bind_types(cell_, type_map_);  // says what is wrong with all species at once
  cell_.species_mass = species_masses(cell_);
  if (counts_from_one(cell_.id)) cell_.id.clear();
  box_ = replicate(cell_, copies_, 0, 0).box;
  natoms_ = static_cast<std::int64_t>(cell_.natoms()) * copies_[0] * copies_[1] * copies_[2];
}

Atoms RunStructure::make(const std::array<int, 3>& copies, std::int64_t first, std::int64_t last) const {
  const Structure part = replicate(cell_, copies, first, last);
  return make_atoms(part, bind_types(part, type_map_), first);
}

Atoms RunStructure::atoms(std::int64_t first, std::int64_t last) const {
  require(last - first < std::numeric_limits<std::int32_t>::max(),
          "{} of {} atoms on one rank (indices have 32 bits); use more ranks", last - first, natoms_);
  return make(copies_, first, last);
}

std::vector<std::int64_t> RunStructure::input_ids(std::int64_t first, std::int64_t last) const {
  return cell_.id.empty() ? std::vector<std::int64_t>{} : replicate(cell_, copies_, first, last).id;
}

RunStructure::Sample RunStructure::sample() const {
  const auto of_cell = static_cast<std::int64_t>(cell_.natoms());
  // Copies are dropped from the longest direction first, as long as what remains divides the whole evenly.
  std::array<int, 3> copies = copies_;
  const auto count = [&] { return of_cell * copies[0] * copies[1] * copies[2]; };
  for (bool fewer = true; fewer && count() > k_sample_atoms;) {
    fewer = false;
    std::array<std::size_t, 3> axes{0, 1, 2};
    std::stable_sort(axes.begin(), axes.end(), [&](auto a, auto b) { return copies[a] > copies[b]; });
    for (const std::size_t d : axes) {
      int next = copies[d] - 1;
      while (next > 0 && copies_[d] % next != 0) --next;
      if (next < 1 || count() / copies[d] * next < k_sample_atoms) continue;
      copies[d] = next;
      fewer = true;
      break;
    }
  }
  Sample sample;
  sample.box = replicate(cell_, copies, 0, 0).box;
  sample.atoms = make(copies, 0, count());
  for (std::size_t d = 0; d < 3; ++d) sample.times[d] = copies_[d] / copies[d];
  return sample;
}

}  // namespace nanoday
