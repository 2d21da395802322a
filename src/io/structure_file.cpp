// Recognises structure formats, calls their readers, and checks what came out.
// SPDX-License-Identifier: Apache-2.0
#include "io/structure_file.hpp"

#include "core/error.hpp"
#include "io/check_structure.hpp"
#include "io/readers.hpp"
#include "io/species.hpp"
#include "io/text.hpp"

#include <algorithm>
#include <filesystem>

namespace nanoday {
namespace {

enum class Format { unknown, lammps, extxyz, poscar };

constexpr std::string_view k_formats =
    "LAMMPS data (.data, .lmp, .lammps), extended or plain XYZ (.xyz, .extxyz), POSCAR (POSCAR*, CONTCAR*, "
    ".vasp), "
    "a DeePMD-kit npy folder (type.raw, set.*)";

Format format_of_name(const std::string& path) {
  const std::string name = lower(std::filesystem::path(path).filename().string());
  if (name.ends_with(".data") || name.ends_with(".lmp") || name.ends_with(".lammps")) return Format::lammps;
  if (name.ends_with(".xyz") || name.ends_with(".extxyz")) return Format::extxyz;
  if (name.starts_with("poscar") || name.starts_with("contcar") || name.ends_with(".vasp"))
    return Format::poscar;
  return Format::unknown;
}

bool all_numbers(const std::vector<std::string_view>& fields, std::size_t count) {
  double value = 0;
  return fields.size() >= count &&
         std::all_of(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(count),
                     [&](std::string_view field) { return parse_number(field, value); });
}

/// LAMMPS data has "N atoms" among its first lines; XYZ starts with a lone integer; POSCAR has a scale on
/// its second line and three vectors after it.
Format format_of_content(const std::string& path, std::string_view text) {
  LineReader reader(path, text);
  std::vector<std::vector<std::string_view>> head;
  std::string_view line;
  while (head.size() < 40 && reader.next(line)) head.push_back(split_fields(line));
  std::int64_t count = 0;
  for (std::size_t i = 1; i < head.size(); ++i)
    if (head[i].size() >= 2 && head[i][1] == "atoms" && parse_number(head[i][0], count))
      return Format::lammps;
  if (!head.empty() && head[0].size() == 1 && parse_number(head[0][0], count)) return Format::extxyz;
  if (head.size() > 4 && all_numbers(head[1], 1) && all_numbers(head[2], 3) && all_numbers(head[3], 3) &&
      all_numbers(head[4], 3))
    return Format::poscar;
  return Format::unknown;
}

/// Unnamed species are refused by bind_types() with a better explanation than an overlap would be. Where
/// there are bonds, virtual atoms may sit on their hosts: prepare_for() checks what is left without them.
void complete_and_check(std::vector<Structure>& frames) {
  for (Structure& frame : frames) {
    complete_masses(frame);
    check_extent(frame);
    if (all_named(frame) && frame.bond.empty()) check_overlaps(frame);
  }
}

}  // namespace

std::vector<Structure> read_structure_text(const ReaderInput& input) {
  Format format = format_of_name(input.path);
  if (format == Format::unknown) format = format_of_content(input.path, input.text);
  require(format != Format::unknown,
          "{}: is no structure that can be read (neither its name nor its content shows a known format); "
          "give one "
          "of: {}",
          printable(input.path), k_formats);
  std::vector<Structure> frames;
  if (format == Format::lammps) frames.push_back(read_lammps_data(input));
  if (format == Format::extxyz) frames = read_extxyz(input);
  if (format == Format::poscar) frames.push_back(read_poscar(input));
  complete_and_check(frames);
  return frames;
}

std::vector<Structure> read_structures(const std::string& path,
                                       const std::vector<std::string>& species_names) {
  for (const std::string& name : species_names)
    require(is_species_name(name), "--types: '{}' cannot name an element; give symbols, as in --types O,H",
            printable(name));
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) {
    const std::string text = read_bytes(path);
    return read_structure_text({path, text, species_names});
  }
  auto frames = read_deepmd_folder(path, species_names);
  complete_and_check(frames);
  return frames;
}

}  // namespace nanoday
