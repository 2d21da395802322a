// Reads LAMMPS data files: atom_style atomic, charge, molecular or full.
// SPDX-License-Identifier: Apache-2.0
//
// Format: a title line; header lines "value keyword" (counts, box bounds "lo hi xlo xhi", tilt "xy xz yz", or
// three vectors "avec" …); then sections, each a line starting with a letter. Read are "Masses" (type mass
// [# name]), "Atom Type Labels", "Atoms [# style]" (id [molecule] type [charge] x y z [ix iy iz]),
// "Velocities" and "Bonds" (id type atom atom); other topology and coefficient sections are skipped by their
// counts. "#" starts a comment, blank lines mean nothing. Atoms keep the file's order.
#include "core/error.hpp"
#include "io/lammps_header.hpp"
#include "io/readers.hpp"
#include "io/species.hpp"

#include <unordered_map>

namespace nanoday {
namespace {

/// Columns of an Atoms line; −1: absent. Coordinates follow the last one.
struct AtomColumns {
  int type = 1, charge = -1, x = 2;
};

const std::unordered_map<std::string_view, AtomColumns> k_styles{
    {"atomic", {1, -1, 2}}, {"charge", {1, 2, 3}}, {"molecular", {2, -1, 3}}, {"full", {2, 3, 4}}};

constexpr std::int64_t k_last_id = 4'000'000'000;
constexpr std::int64_t k_farthest_image = 100'000'000;

class LammpsReader {
 public:
  explicit LammpsReader(const ReaderInput& input) : input_(input), lines_(input.path, input.text) {}

  Structure read() {
    header_ = read_lammps_header(lines_);
    n_types_ = header_.count("atom types");
    structure_.source = printable(input_.path);
    structure_.box = header_.box;
    structure_.species_mass.assign(static_cast<std::size_t>(n_types_), 0);
    names_.resize(static_cast<std::size_t>(n_types_));
    std::string_view line;
    while (lines_.next(line)) {
      const CommentedLine section = split_comment(line);
      if (!section.text.empty()) read_section(section);
    }
    if (structure_.natoms() == 0) lines_.fail("there is no Atoms section (truncated?); get the whole file");
    if (structure_.bond.empty() && header_.count("bonds") > 0)
      lines_.fail("there is no Bonds section (the header promises bonds; truncated?); get the whole file");
    name_numbered_species(structure_, names_, input_.user_names);
    return std::move(structure_);
  }

 private:
  void read_section(const CommentedLine& section) {
    if (section.text == "Masses") return read_masses();
    if (section.text == "Atoms") return read_atoms(section.comment);
    if (section.text == "Velocities") return read_velocities();
    if (section.text == "Bonds") return read_bonds();
    if (section.text == "Atom Type Labels") return read_labels();
    skip(section.text);
  }

  /// Next line of a section with its comment, blank lines left out.
  CommentedLine entry(std::string_view section) {
    while (true) {
      const CommentedLine line = split_comment(lines_.need(fmt::format("the next line of {}", section)));
      if (line.text.empty()) continue;
      if (is_section(line.text) && !labels_.contains(std::string(split_fields(line.text).front())))
        lines_.fail(
            fmt::format("'{}' comes before {} is complete (the header promises more lines); correct the "
                        "count or add the lines",
                        printable(line.text), section));
      return line;
    }
  }

  void skip(std::string_view section) {
    const std::int64_t count = lines_to_skip(section);
    if (count < 0)
      lines_.fail(fmt::format("unknown section '{}' (how many lines it has cannot be told); remove it",
                              printable(section)));
    for (std::int64_t i = 0; i < count; ++i) {
      CommentedLine line;  // type labels may start entries of these sections, so no check for letters
      while (line.text.empty())
        line = split_comment(lines_.need(fmt::format("the next line of {}", section)));
    }
  }

  std::int64_t lines_to_skip(std::string_view section) const {
    static const std::unordered_map<std::string_view, const char*> k_counted_by{
        {"Angles", "angles"},
        {"Dihedrals", "dihedrals"},
        {"Impropers", "impropers"},
        {"Pair Coeffs", "atom types"},
        {"Bond Coeffs", "bond types"},
        {"Angle Coeffs", "angle types"},
        {"Dihedral Coeffs", "dihedral types"},
        {"Improper Coeffs", "improper types"},
        {"BondBond Coeffs", "angle types"},
        {"BondAngle Coeffs", "angle types"},
        {"MiddleBondTorsion Coeffs", "dihedral types"},
        {"EndBondTorsion Coeffs", "dihedral types"},
        {"AngleTorsion Coeffs", "dihedral types"},
        {"AngleAngleTorsion Coeffs", "dihedral types"},
        {"BondBond13 Coeffs", "dihedral types"},
        {"AngleAngle Coeffs", "improper types"},
        {"Bond Type Labels", "bond types"},
        {"Angle Type Labels", "angle types"},
        {"Dihedral Type Labels", "dihedral types"},
        {"Improper Type Labels", "improper types"},
        {"CMAP", "crossterms"}};
    if (section == "PairIJ Coeffs") return n_types_ * (n_types_ + 1) / 2;
    const auto at = k_counted_by.find(section);
    return at == k_counted_by.end() ? -1 : header_.count(at->second);
  }

  /// A type by number or label, zero-based.
  std::size_t type(std::string_view field) const {
    if (const auto at = labels_.find(std::string(field)); at != labels_.end()) return at->second;
    const std::int64_t type = lines_.integer(field, "the atom type");
    if (type < 1 || type > n_types_)
      lines_.fail(
          fmt::format("atom type {} does not exist (the header says {} atom types); correct one of the two",
                      type, n_types_));
    return static_cast<std::size_t>(type - 1);
  }

  void read_labels() {
    for (std::int64_t i = 0; i < n_types_; ++i) {
      const auto fields = split_fields(entry("Atom Type Labels").text);
      if (fields.size() != 2 || !is_species_name(fields[1]))
        lines_.fail("a label line is \"type label\"; correct it");
      const std::size_t index = type(fields[0]);
      if (!labels_.emplace(std::string(fields[1]), index).second)
        lines_.fail("the label is there twice; rename one");
      if (names_[index].empty()) names_[index] = fields[1];
    }
  }

  void read_masses() {
    for (std::int64_t i = 0; i < n_types_; ++i) {
      const CommentedLine line = entry("Masses");
      const auto fields = split_fields(line.text);
      if (fields.size() != 2)
        lines_.fail("a mass line is \"type mass\" (and perhaps \"# name\"); correct it");
      const std::size_t index = type(fields[0]);
      const double mass = lines_.real(fields[1], "the mass");
      if (!(mass > 0)) lines_.fail(fmt::format("the mass {} is not above 0; correct it", mass));
      if (structure_.species_mass[index] > 0)
        lines_.fail(fmt::format("type {} has two masses; remove one", index + 1));
      structure_.species_mass[index] = mass;
      const auto words = split_fields(line.comment);
      if (!words.empty() && is_species_name(words[0])) names_[index] = words[0];
    }
  }

  void read_atoms(std::string_view style) {
    if (!index_of_id_.empty()) lines_.fail("there are two Atoms sections; remove one");
    const LineReader start = lines_;
    const std::size_t n_columns = split_fields(entry("Atoms").text).size();
    lines_ = start;
    const AtomColumns columns = style.empty() ? guess_columns(n_columns) : named_columns(style, n_columns);
    for (std::int64_t i = 0; i < header_.count("atoms"); ++i) {
      const auto row = split_fields(entry("Atoms").text);
      if (row.size() != n_columns)
        lines_.fail(
            fmt::format("this atom has {} columns, the first one {} (all must agree); correct the line",
                        row.size(), n_columns));
      read_atom(row, columns);
    }
  }

  AtomColumns named_columns(std::string_view style, std::size_t n_columns) const {
    const std::string_view name = split_fields(style).front();
    const auto at = k_styles.find(name);
    if (at == k_styles.end())
      lines_.fail(
          fmt::format("Atoms are in style '{}' (atomic, charge, molecular and full are read); convert them",
                      printable(name)));
    const auto least = static_cast<std::size_t>(at->second.x) + 3;
    if (n_columns != least && n_columns != least + 3)
      lines_.fail(
          fmt::format("Atoms of style {} have {} columns (or {} with images), not {}; correct one of the two",
                      name, least, least + 3, n_columns));
    return at->second;
  }

  AtomColumns guess_columns(std::size_t n_columns) {
    if (n_columns == 5 || n_columns == 8) return k_styles.at("atomic");
    if (n_columns == 7 || n_columns == 10) return k_styles.at("full");
    if (n_columns != 6 && n_columns != 9)
      lines_.fail(
          fmt::format("Atoms have {} columns (no style that can be read has); say the style, as in "
                      "\"Atoms # charge\"",
                      n_columns));
    if (may_be_molecular())
      lines_.fail(
          "Atoms may be of style charge or molecular (their columns do not tell); say which, as in "
          "\"Atoms # charge\"");
    return k_styles.at("charge");
  }

  /// Third column reads as a type everywhere, so that "id molecule type" cannot be ruled out.
  bool may_be_molecular() {
    const LineReader start = lines_;
    bool possible = true;
    for (std::int64_t i = 0; possible && i < header_.count("atoms"); ++i) {
      const auto row = split_fields(entry("Atoms").text);
      std::int64_t type = 0;
      possible = row.size() > 2 && parse_number(row[2], type) && type >= 1 && type <= n_types_;
    }
    lines_ = start;
    return possible;
  }

  void read_atom(const std::vector<std::string_view>& row, const AtomColumns& columns) {
    const std::int64_t id = lines_.integer(row[0], "the atom id");
    const auto real = [&](int column, const char* what) {
      return lines_.real(row[static_cast<std::size_t>(column)], fmt::format("{} of atom {}", what, id));
    };
    if (id < 1 || id > k_last_id)
      lines_.fail(fmt::format("atom id {} is not in 1 … {}; renumber", id, k_last_id));
    if (!index_of_id_.emplace(id, structure_.natoms()).second)
      lines_.fail(fmt::format("atom id {} is there twice; renumber one", id));
    structure_.id.push_back(id);
    structure_.species.push_back(
        static_cast<std::int32_t>(type(row[static_cast<std::size_t>(columns.type)])));
    if (columns.charge >= 0) structure_.charge.push_back(real(columns.charge, "the charge"));
    structure_.position.push_back({real(columns.x, "x"), real(columns.x + 1, "y"), real(columns.x + 2, "z")});
    if (row.size() != static_cast<std::size_t>(columns.x) + 6) return;
    std::array<int, 3> image{};
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t n =
          lines_.integer(row[static_cast<std::size_t>(columns.x) + 3 + d], "the image flag");
      if (n < -k_farthest_image || n > k_farthest_image)
        lines_.fail("an image flag is too large; correct it");
      image[d] = static_cast<int>(n);
    }
    structure_.image.push_back(image);
  }

  void read_velocities() {
    if (structure_.natoms() == 0) lines_.fail("Velocities come before Atoms; put them after");
    if (!structure_.velocity.empty()) lines_.fail("there are two Velocities sections; remove one");
    structure_.velocity.resize(structure_.natoms());
    std::vector<bool> seen(structure_.natoms(), false);
    for (std::size_t i = 0; i < structure_.natoms(); ++i) {
      const auto fields = split_fields(entry("Velocities").text);
      if (fields.size() != 4) lines_.fail("a velocity line is \"id vx vy vz\"; correct it");
      const std::size_t i_atom = atom(fields[0]);
      if (seen[i_atom])
        lines_.fail(fmt::format("atom {} has two velocities; remove one", structure_.id[i_atom]));
      seen[i_atom] = true;
      const Vec3 v{lines_.real(fields[1], "vx"), lines_.real(fields[2], "vy"), lines_.real(fields[3], "vz")};
      structure_.velocity[i_atom] = header_.length_per_time * v;
    }
  }

  /// Index of the atom with the id in the field.
  std::size_t atom(std::string_view field) const {
    const std::int64_t id = lines_.integer(field, "the atom id");
    const auto at = index_of_id_.find(id);
    if (at == index_of_id_.end()) lines_.fail(fmt::format("there is no atom {}; correct the id", id));
    return at->second;
  }

  void read_bonds() {
    if (structure_.natoms() == 0) lines_.fail("Bonds come before Atoms; put them after");
    if (!structure_.bond.empty()) lines_.fail("there are two Bonds sections; remove one");
    for (std::int64_t i = 0; i < header_.count("bonds"); ++i) {
      const auto fields = split_fields(entry("Bonds").text);
      if (fields.size() != 4) lines_.fail("a bond line is \"id type atom atom\"; correct it");
      lines_.integer(fields[0], "the bond id");  // the type, a number or a label, says nothing to us
      const std::size_t first = atom(fields[2]), second = atom(fields[3]);
      if (first == second) lines_.fail("the bond joins an atom to itself; correct it");
      structure_.bond.push_back({static_cast<std::int64_t>(first), static_cast<std::int64_t>(second)});
    }
  }

  const ReaderInput& input_;
  LineReader lines_;
  LammpsHeader header_;
  std::int64_t n_types_ = 0;
  Structure structure_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::size_t> labels_;
  std::unordered_map<std::int64_t, std::size_t> index_of_id_;
};

}  // namespace

Structure read_lammps_data(const ReaderInput& input) { return LammpsReader(input).read(); }

}  // namespace nanoday
