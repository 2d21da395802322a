// The header of a LAMMPS data file: title, counts, box (orthogonal, tilted, or three general vectors).
// SPDX-License-Identifier: Apache-2.0
#include "io/lammps_header.hpp"

#include "core/error.hpp"
#include "io/species.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace nanoday {
namespace {

constexpr std::array<std::string_view, 20> k_count_keywords{"atoms",
                                                            "bonds",
                                                            "angles",
                                                            "dihedrals",
                                                            "impropers",
                                                            "atom types",
                                                            "bond types",
                                                            "angle types",
                                                            "dihedral types",
                                                            "improper types",
                                                            "ellipsoids",
                                                            "lines",
                                                            "triangles",
                                                            "bodies",
                                                            "extra bond per atom",
                                                            "extra angle per atom",
                                                            "extra dihedral per atom",
                                                            "extra improper per atom",
                                                            "extra special per atom",
                                                            "crossterms"};

/// The box as the header gives it, before it is checked for completeness.
struct BoxLines {
  std::array<std::optional<std::array<double, 2>>, 3> bounds;
  std::array<double, 3> tilt{0, 0, 0};  ///< xy, xz, yz
  bool tilted = false;
  std::array<std::optional<Vec3>, 3> vectors;
  std::optional<Vec3> origin;
};

Box restricted_box(const LineReader& lines, const BoxLines& given) {
  std::array<double, 3> length{}, low{};
  for (std::size_t d = 0; d < 3; ++d) {
    const char axis = "xyz"[d];
    if (!given.bounds[d])
      lines.fail(
          fmt::format("the header lacks \"{0}lo {0}hi\" (the box must be given); add that line", axis));
    low[d] = (*given.bounds[d])[0];
    length[d] = (*given.bounds[d])[1] - low[d];
    if (!(length[d] > 0))
      lines.fail(fmt::format("{0}hi is not above {0}lo (no volume); correct the box", axis));
  }
  Box box = Box::triclinic({Vec3{length[0], 0, 0}, Vec3{given.tilt[0], length[1], 0},
                            Vec3{given.tilt[1], given.tilt[2], length[2]}});
  box.origin = {low[0], low[1], low[2]};
  return box;
}

Box general_box(const LineReader& lines, const BoxLines& given) {
  const bool mixed = given.tilted || given.bounds[0] || given.bounds[1] || given.bounds[2];
  if (mixed) lines.fail("the box is given both by bounds and by vectors; keep one of the two");
  for (std::size_t d = 0; d < 3; ++d)
    if (!given.vectors[d]) lines.fail(fmt::format("the header lacks \"{}vec\"; add that vector", "abc"[d]));
  Box box = Box::triclinic({*given.vectors[0], *given.vectors[1], *given.vectors[2]});
  box.origin = given.origin.value_or(Vec3{});
  return box;
}

Vec3 three_reals(const LineReader& lines, const std::vector<std::string_view>& fields) {
  return {lines.real(fields[0], "the first component"), lines.real(fields[1], "the second component"),
          lines.real(fields[2], "the third component")};
}

/// Takes a header line that describes the box; false when it does not.
bool take_box_line(const LineReader& lines, const std::vector<std::string_view>& f, BoxLines& box) {
  for (std::size_t d = 0; d < 3; ++d) {
    const char axis = "xyz"[d];
    if (f.size() == 4 && f[2] == fmt::format("{}lo", axis) && f[3] == fmt::format("{}hi", axis)) {
      box.bounds[d] = {lines.real(f[0], f[2]), lines.real(f[1], f[3])};
      return true;
    }
    if (f.size() == 4 && f[3] == fmt::format("{}vec", "abc"[d])) {
      box.vectors[d] = three_reals(lines, f);
      return true;
    }
  }
  if (f.size() == 6 && f[3] == "xy" && f[4] == "xz" && f[5] == "yz") {
    const Vec3 tilt = three_reals(lines, f);
    box.tilt = {tilt.x, tilt.y, tilt.z};
    box.tilted = true;
    return true;
  }
  if (f.size() == 5 && f[3] == "abc" && f[4] == "origin") {
    box.origin = three_reals(lines, f);
    return true;
  }
  return false;
}

void take_count_line(const LineReader& lines, const std::vector<std::string_view>& fields,
                     LammpsHeader& header) {
  std::string keyword;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (i > 1) keyword += ' ';
    keyword += fields[i];
  }
  if (std::find(k_count_keywords.begin(), k_count_keywords.end(), keyword) == k_count_keywords.end())
    lines.fail(
        fmt::format("unknown header line '{} …' (LAMMPS data headers hold counts and the box); correct it",
                    printable(fmt::format("{} {}", fields[0], keyword))));
  const std::int64_t count = lines.integer(fields[0], fmt::format("the number of {}", keyword));
  constexpr std::int64_t k_most = 2'000'000'000;
  if (count < 0 || count > k_most)
    lines.fail(fmt::format("{} {} cannot be; correct the number", count, keyword));
  header.counts[keyword] = count;
}

/// Files written by LAMMPS say their units in the title; velocities depend on them.
double velocity_unit(const LineReader& lines, std::string_view title) {
  const std::size_t at = title.find("units = ");
  if (at == std::string_view::npos) return 1;
  const auto words = split_fields(title.substr(at + 8));
  const std::string_view units = words.empty() ? "" : words.front();
  if (units == "metal") return 1;
  if (units == "real") return 1000;  // Å/fs
  lines.fail(fmt::format("the file is in '{}' units (only metal and real have lengths in A); convert it",
                         printable(units)));
}

}  // namespace

CommentedLine split_comment(std::string_view line) {
  const std::size_t hash = line.find('#');
  if (hash == std::string_view::npos) return {trim(line), {}};
  return {trim(line.substr(0, hash)), trim(line.substr(hash + 1))};
}

bool is_section(std::string_view text) {
  return !text.empty() && ((text[0] >= 'A' && text[0] <= 'Z') || (text[0] >= 'a' && text[0] <= 'z'));
}

LammpsHeader read_lammps_header(LineReader& lines) {
  LammpsHeader header;
  header.length_per_time = velocity_unit(lines, lines.need("a title line"));
  BoxLines box;
  std::string_view line;
  while (lines.peek(line)) {
    const std::string_view text = split_comment(line).text;
    if (is_section(text)) break;
    lines.next(line);
    if (text.empty()) continue;
    const auto fields = split_fields(text);
    if (!take_box_line(lines, fields, box)) take_count_line(lines, fields, header);
  }
  const bool general = box.vectors[0] || box.vectors[1] || box.vectors[2];
  header.box = general ? general_box(lines, box) : restricted_box(lines, box);
  if (header.count("atoms") == 0)
    lines.fail("the header has no \"N atoms\" above 0 (nothing to read); add it");
  const std::int64_t types = header.count("atom types");
  if (types < 1 || types > k_max_species)
    lines.fail(fmt::format("the header gives {} atom types (1 to {} are possible); correct it", types,
                           k_max_species));
  return header;
}

}  // namespace nanoday
