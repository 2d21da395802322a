// Reads DeePMD-kit's data folders.
// SPDX-License-Identifier: Apache-2.0
//
// Format: type.raw (one type index per atom), type_map.raw (their names), nopbc (present: open box), and
// folders set.* with coord.npy (frames, 3·natoms) [Å] and box.npy (frames, 9) [Å], read in order of name.
#include "core/error.hpp"
#include "io/npy.hpp"
#include "io/readers.hpp"
#include "io/species.hpp"
#include "io/text.hpp"

#include <algorithm>
#include <filesystem>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

/// Species of the folder's atoms: everything in a Structure that all frames share.
Structure read_types(const fs::path& folder, const std::vector<std::string>& user_names) {
  const std::string path = (folder / "type.raw").string();
  const std::string text = read_bytes(path);
  Structure common;
  common.source = printable(folder.string());
  std::int64_t n_species = 0;
  LineReader lines(path, text);
  std::string_view line;
  while (lines.next(line))
    for (const std::string_view field : split_fields(line)) {
      const std::int64_t type = lines.integer(field, "an atom's type");
      if (type < 0 || type >= k_max_species) lines.fail(fmt::format("type {} cannot be; correct it", type));
      common.species.push_back(static_cast<std::int32_t>(type));
      common.id.push_back(static_cast<std::int64_t>(common.species.size()));
      n_species = std::max(n_species, type + 1);
    }
  if (common.species.empty()) lines.fail("there are no atoms; give each atom's type");

  std::vector<std::string> names;
  const fs::path map = folder / "type_map.raw";
  if (fs::exists(map)) {
    const std::string map_text = read_bytes(map.string());
    LineReader map_lines(map.string(), map_text);
    while (map_lines.next(line))
      for (const std::string_view field : split_fields(line)) names.emplace_back(field);
    const auto n_names = static_cast<std::int64_t>(names.size());
    if (n_names < n_species || n_names > k_max_species)
      map_lines.fail(
          fmt::format("{} names but types up to {} in type.raw; name all", n_names, n_species - 1));
  }
  n_species = std::max(n_species, static_cast<std::int64_t>(names.size()));
  common.species_mass.assign(static_cast<std::size_t>(n_species), 0);
  const bool named = !names.empty();
  names.resize(common.species_mass.size());
  name_numbered_species(common, names, named ? std::vector<std::string>{} : user_names);
  if (named) check_named_species(common, user_names);
  return common;
}

std::vector<fs::path> find_sets(const fs::path& folder) {
  std::vector<fs::path> sets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("set.") && entry.is_directory()) sets.push_back(entry.path());
  }
  std::sort(sets.begin(), sets.end());
  require(!sets.empty(),
          "{}: has no folder set.* (nothing to read); make one, for example set.000 with coord.npy",
          printable(folder.string()));
  return sets;
}

NpyArray read_rows(const fs::path& path, std::size_t width) {
  const NpyArray array = parse_npy(printable(path.string()), read_bytes(path.string()));
  const std::size_t rows = array.shape.empty() ? 0 : array.shape[0];
  // Shapes (frames, 3·natoms) and (frames, natoms, 3) hold the same numbers in the same order.
  require(rows > 0 && array.data.size() / rows == width,
          "{}: has {} numbers for {} frames instead of {} for each; correct it or type.raw",
          printable(path.string()), array.data.size(), rows, width);
  return array;
}

void append_set(const fs::path& set, bool open, const Structure& common, std::vector<Structure>& frames) {
  const std::size_t natoms = common.species.size();
  require(
      !fs::exists(set / "real_atom_types.npy"),
      "{}: is of DeePMD-kit's mixed-type kind (each frame has its own elements), which is not read; split it",
      printable(set.string()));
  const NpyArray coord = read_rows(set / "coord.npy", 3 * natoms);
  const std::size_t n_frames = coord.shape[0];
  NpyArray box;
  if (!open) {
    box = read_rows(set / "box.npy", 9);
    require(box.shape[0] == n_frames, "{}: coord.npy has {} frames, box.npy {}; correct one of them",
            printable(set.string()), n_frames, box.shape[0]);
  }
  for (std::size_t k = 0; k < n_frames; ++k) {
    Structure frame = common;
    frame.source = fmt::format("{} frame {}", common.source, frames.size() + 1);
    const double* x = coord.data.data() + 3 * natoms * k;
    for (std::size_t i = 0; i < natoms; ++i) frame.position.push_back({x[3 * i], x[3 * i + 1], x[3 * i + 2]});
    if (!open) {
      const double* b = box.data.data() + 9 * k;
      frame.box = Box::triclinic({Vec3{b[0], b[1], b[2]}, Vec3{b[3], b[4], b[5]}, Vec3{b[6], b[7], b[8]}});
    }
    frames.push_back(std::move(frame));
  }
}

}  // namespace

std::vector<Structure> read_deepmd_folder(const std::string& folder,
                                          const std::vector<std::string>& user_names) {
  const fs::path path(folder);
  require(fs::exists(path / "type.raw"),
          "{}: is a folder without type.raw (not one of DeePMD-kit's); give a system's own folder or a "
          "structure file",
          printable(folder));
  try {
    const Structure common = read_types(path, user_names);
    const bool open = fs::exists(path / "nopbc");
    std::vector<Structure> frames;
    for (const fs::path& set : find_sets(path)) append_set(set, open, common, frames);
    return frames;
  } catch (const fs::filesystem_error& error) {
    throw InputError(fmt::format("{}: cannot be listed ({}); check its permissions", printable(folder),
                                 error.code().message()));
  }
}

}  // namespace nanoday
