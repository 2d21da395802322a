// Reads VASP's POSCAR and CONTCAR.
// SPDX-License-Identifier: Apache-2.0
//
// Format: title; scale (one number, three for x, y, z, or a negative one: the volume [Å³]); three lattice
// vectors; element names (absent in old files: then the user must name the species); numbers of atoms;
// [Selective dynamics]; Direct or Cartesian; positions; then perhaps lattice velocities (skipped) and
// velocities, "Cartesian" or blank [Å/fs]. Velocities that are all zero count as absent: VASP writes them
// after every relaxation.
#include "core/error.hpp"
#include "io/element_table.hpp"
#include "io/readers.hpp"
#include "io/species.hpp"
#include "io/text.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

using Fields = std::vector<std::string_view>;

Vec3 read_vector(LineReader& lines, const char* what) {
  const Fields fields = split_fields(lines.need(what));
  if (fields.size() < 3) lines.fail(fmt::format("{} needs three numbers; correct the line", what));
  return {lines.real(fields[0], what), lines.real(fields[1], what), lines.real(fields[2], what)};
}

/// Scale along x, y, z; a volume is still to be turned into a scale.
struct Scale {
  Vec3 factor{1, 1, 1};
  double volume = 0;
};

Scale read_scale(LineReader& lines) {
  const std::string_view line = lines.need("the scale");
  const Fields fields = split_fields(line);
  double second = 0, third = 0;
  const bool three = fields.size() >= 3 && parse_number(fields[1], second) && parse_number(fields[2], third);
  if (fields.empty()) lines.fail("the scale is missing; add it, for example 1.0");
  const double first = lines.real(fields[0], "the scale");
  Scale scale;
  if (three && !(first > 0 && second > 0 && third > 0))
    lines.fail("three scales must be above 0; correct them");
  if (first == 0) lines.fail("the scale is 0 (no volume); correct it");
  if (first < 0) scale.volume = -first;
  if (first > 0) scale.factor = three ? Vec3{first, second, third} : Vec3{first, first, first};
  return scale;
}

Vec3 scaled(Vec3 x, Vec3 factor) { return {x.x * factor.x, x.y * factor.y, x.z * factor.z}; }

/// VASP 6 appends potential names: "O_s/1a2b3c"; the element is what comes before.
std::string plain_name(std::string_view field) {
  const std::string_view stem = field.substr(0, field.find('/'));
  const std::string_view element = stem.substr(0, stem.find('_'));
  return std::string(find_element_mass(element) ? element : stem);
}

class PoscarReader {
 public:
  explicit PoscarReader(const ReaderInput& input) : input_(input), lines_(input.path, input.text) {}

  Structure read() {
    out_.source = printable(input_.path);
    lines_.need("a title line");
    read_box();
    read_species();
    read_positions();
    skip_lattice_velocities();
    read_velocities();
    return std::move(out_);
  }

 private:
  void read_box() {
    Scale scale = read_scale(lines_);
    std::array<Vec3, 3> cell;
    for (Vec3& vector : cell) vector = read_vector(lines_, "a lattice vector");
    if (scale.volume > 0) {
      const double volume = Box::triclinic(cell).volume();
      if (!(volume > 0)) lines_.fail("the lattice has no volume to scale; correct its vectors");
      const double factor = std::cbrt(scale.volume / volume);
      scale.factor = {factor, factor, factor};
    }
    factor_ = scale.factor;
    for (Vec3& vector : cell) vector = scaled(vector, factor_);
    out_.box = Box::triclinic(cell);
  }

  void read_species() {
    Fields fields = split_fields(lines_.need("the element names"));
    std::vector<std::string> names;
    std::int64_t number = 0;
    const bool named = !fields.empty() && !parse_number(fields[0], number);
    if (named) {
      for (const std::string_view field : fields) names.push_back(plain_name(field));
      fields = split_fields(lines_.need("the numbers of atoms"));
    }
    std::vector<std::int64_t> counts;
    for (const std::string_view field : fields) {
      if (field[0] == '!' || field[0] == '#') break;
      counts.push_back(lines_.integer(field, "a number of atoms"));
      if (counts.back() < 0 || counts.back() > 2'000'000'000)
        lines_.fail("a number of atoms cannot be; correct it");
    }
    if (counts.empty() || counts.size() > k_max_species)
      lines_.fail("numbers of atoms are missing; add them");
    if (named && counts.size() != names.size())
      lines_.fail(fmt::format("{} names but {} numbers of atoms; correct one of the two lines", names.size(),
                              counts.size()));
    if (named) return add_named(names, counts);
    out_.species_mass.assign(counts.size(), 0);
    name_numbered_species(out_, std::vector<std::string>(counts.size()), input_.user_names);
    for (const std::int64_t count : counts)
      blocks_.push_back({static_cast<std::int32_t>(blocks_.size()), count});
  }

  void add_named(const std::vector<std::string>& names, const std::vector<std::int64_t>& counts) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!is_species_name(names[i]))
        lines_.fail(fmt::format("'{}' cannot name an element; write its symbol", printable(names[i])));
      blocks_.push_back({species_index(out_, names[i]), counts[i]});
    }
    check_named_species(out_, input_.user_names);
  }

  void read_positions() {
    std::string_view line = trim(lines_.need("Direct or Cartesian"));
    const bool selective = !line.empty() && (line[0] == 'S' || line[0] == 's');
    if (selective) line = trim(lines_.need("Direct or Cartesian"));
    const char kind = line.empty() ? ' ' : line[0];
    const bool cartesian = kind == 'C' || kind == 'c' || kind == 'K' || kind == 'k';
    if (!cartesian && kind != 'D' && kind != 'd')
      lines_.fail(fmt::format("'{}' is neither Direct nor Cartesian; correct it", printable(line)));
    for (const Block& block : blocks_)
      for (std::int64_t i = 0; i < block.count; ++i) {
        const Vec3 x = read_vector(lines_, "a position");
        out_.species.push_back(block.species);
        out_.position.push_back(cartesian ? scaled(x, factor_) : out_.box.cartesian(x));
        out_.id.push_back(static_cast<std::int64_t>(out_.natoms()));
      }
  }

  void skip_lattice_velocities() {
    std::string_view line;
    if (!lines_.peek(line) || !lower(trim(line)).starts_with("lattice velocities")) return;
    lines_.next(line);
    for (int i = 0; i < 7; ++i) lines_.need("lattice velocities");
  }

  void read_velocities() {
    std::string_view line;
    if (!lines_.next(line)) return;
    const std::string_view kind = trim(line);
    if (!lines_.peek(line) || (kind.empty() && split_fields(line).empty())) return;
    if (!kind.empty() && (kind[0] == 'D' || kind[0] == 'd'))
      lines_.fail(
          "velocities are Direct (in lattice vectors per time step, which the file does not give); write "
          "them as Cartesian or remove them");
    if (!kind.empty() && std::string_view("CcKk").find(kind[0]) == std::string_view::npos)
      lines_.fail(
          fmt::format("'{}' follows the positions (a blank line or velocities were expected); correct the "
                      "numbers of atoms or remove it",
                      printable(kind)));
    constexpr double k_angstrom_per_fs = 1000;  // in Å/ps
    bool moving = false;
    for (std::size_t i = 0; i < out_.natoms(); ++i) {
      out_.velocity.push_back(k_angstrom_per_fs * read_vector(lines_, "a velocity"));
      moving = moving || norm(out_.velocity.back()) > 0;
    }
    if (!moving) out_.velocity.clear();
  }

  struct Block {
    std::int32_t species;
    std::int64_t count;
  };

  const ReaderInput& input_;
  LineReader lines_;
  Vec3 factor_{1, 1, 1};
  std::vector<Block> blocks_;
  Structure out_;
};

}  // namespace

Structure read_poscar(const ReaderInput& input) { return PoscarReader(input).read(); }

}  // namespace nanoday
