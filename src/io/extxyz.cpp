// Reads extended and plain XYZ, all frames.
// SPDX-License-Identifier: Apache-2.0
//
// Format: per frame a line with the number of atoms, a comment line, and one line per atom. In extended XYZ
// the comment holds key=value pairs: Lattice="ax ay az bx by bz cx cy cz" [Å], pbc="T T T" (all, if Lattice
// is there), Origin="x y z", Properties=species:S:1:pos:R:3[:name:type:columns…]. Of the properties species
// or Z, pos, id, velo or vel [Å/ps; Å/fs with velocity_unit=A/fs], mass(es) and charge(s) are used, others
// skipped. Without Properties the columns are "name x y z", further ones are skipped; without Lattice the
// box is open.
#include "core/error.hpp"
#include "io/element_table.hpp"
#include "io/readers.hpp"
#include "io/species.hpp"
#include "io/text.hpp"

#include <algorithm>
#include <map>

namespace nanoday {
namespace {

using Fields = std::vector<std::string_view>;

/// First column of each property that is used; −1: absent.
struct Columns {
  int name = 0, number = -1, pos = 1, velocity = -1, mass = -1, charge = -1, id = -1;
  std::size_t count = 0;  ///< columns of a line; 0: at least four
};

/// key=value pairs of a comment line; keys in lower case, values without quotes or brackets around them.
std::map<std::string, std::string> parse_comment(const LineReader& lines, std::string_view text) {
  std::map<std::string, std::string> pairs;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t key_begin = i;
    while (i < text.size() && text[i] != '=' && text[i] != ' ' && text[i] != '\t') ++i;
    if (i == text.size() || text[i] != '=') {
      ++i;
      continue;
    }
    const std::string key = lower(text.substr(key_begin, i - key_begin));
    ++i;
    const char open = i < text.size() ? text[i] : ' ';
    const std::string_view opening = "\"'{[";
    const std::size_t kind = opening.find(open);
    std::size_t end = 0;
    if (kind == std::string_view::npos) {
      end = std::min(text.find_first_of(" \t", i), text.size());
    } else {
      // A nested "[[…], […]]" ends with its outermost bracket.
      const bool nested = text.substr(i).starts_with("[[");
      const std::string_view closing = nested ? "]]" : std::string_view("\"'}]").substr(kind, 1);
      end = text.find(closing, ++i);
      if (end == std::string_view::npos)
        lines.fail(fmt::format("the value of {} has no closing {} (truncated?); complete it", printable(key),
                               closing));
    }
    pairs[key] = text.substr(i, end - i);
    i = end + 1;
  }
  return pairs;
}

std::vector<double> numbers(const LineReader& lines, std::string text, std::size_t count, const char* what) {
  for (char& c : text)
    if (c == ',' || c == '[' || c == ']') c = ' ';
  const Fields fields = split_fields(text);
  if (fields.size() != count)
    lines.fail(fmt::format("{} has {} numbers instead of {}; correct it", what, fields.size(), count));
  std::vector<double> values;
  for (const std::string_view field : fields) values.push_back(lines.real(field, what));
  return values;
}

std::array<bool, 3> parse_pbc(const LineReader& lines, std::string text) {
  for (char& c : text)
    if (c == ',' || c == '[' || c == ']') c = ' ';
  const Fields fields = split_fields(text);
  if (fields.size() != 3) lines.fail("pbc has not three values; write for example pbc=\"T T T\"");
  std::array<bool, 3> pbc{};
  for (std::size_t d = 0; d < 3; ++d) {
    const std::string word = lower(fields[d]);
    pbc[d] = word == "t" || word == "true" || word == "1";
    if (!pbc[d] && word != "f" && word != "false" && word != "0")
      lines.fail(fmt::format("pbc has '{}' (neither T nor F); correct it", printable(fields[d])));
  }
  return pbc;
}

Box parse_box(const LineReader& lines, const std::map<std::string, std::string>& pairs) {
  const auto lattice = pairs.find("lattice");
  const auto pbc = pairs.find("pbc");
  const auto periodic =
      pbc == pairs.end() ? std::array<bool, 3>{true, true, true} : parse_pbc(lines, pbc->second);
  const bool repeats = periodic[0] || periodic[1] || periodic[2];
  if (lattice == pairs.end()) {
    if (pbc != pairs.end() && repeats) lines.fail("pbc says the box repeats but there is no Lattice; add it");
    return Box::open();
  }
  const auto v = numbers(lines, lattice->second, 9, "Lattice");
  if (!repeats) return Box::open();
  Box box = Box::triclinic({Vec3{v[0], v[1], v[2]}, Vec3{v[3], v[4], v[5]}, Vec3{v[6], v[7], v[8]}});
  box.periodic = periodic;
  if (const auto at = pairs.find("origin"); at != pairs.end()) {
    const auto o = numbers(lines, at->second, 3, "Origin");
    box.origin = {o[0], o[1], o[2]};
  }
  return box;
}

Columns parse_properties(const LineReader& lines, const std::string& text) {
  struct Known {
    std::string_view name;
    char type;
    std::int64_t width;
    int Columns::*column;
  };
  static constexpr Known k_known[] = {
      {"species", 'S', 1, &Columns::name},   {"z", 'I', 1, &Columns::number},
      {"pos", 'R', 3, &Columns::pos},        {"velo", 'R', 3, &Columns::velocity},
      {"vel", 'R', 3, &Columns::velocity},   {"mass", 'R', 1, &Columns::mass},
      {"masses", 'R', 1, &Columns::mass},    {"charge", 'R', 1, &Columns::charge},
      {"charges", 'R', 1, &Columns::charge}, {"id", 'I', 1, &Columns::id}};
  std::string spaced = text;
  std::replace(spaced.begin(), spaced.end(), ':', ' ');
  const Fields fields = split_fields(spaced);
  if (fields.size() % 3 != 0) lines.fail("Properties is not a list of name:type:columns; correct it");
  Columns columns{-1, -1, -1, -1, -1, -1, -1, 0};
  for (std::size_t i = 0; i < fields.size(); i += 3) {
    const std::int64_t width = lines.integer(fields[i + 2], "a number of columns in Properties");
    if (width < 1 || width > 1000) lines.fail("a property has no or too many columns; correct Properties");
    for (const Known& known : k_known) {
      if (lower(fields[i]) != known.name) continue;
      if (fields[i + 1].size() != 1 || fields[i + 1][0] != known.type || width != known.width)
        lines.fail(fmt::format("property {0} is {1}:{2} (it should be {3}:{4}); correct Properties",
                               known.name, printable(fields[i + 1]), width, known.type, known.width));
      if (columns.*known.column >= 0)
        lines.fail(fmt::format("property {} is there twice; remove one", known.name));
      columns.*known.column = static_cast<int>(columns.count);
    }
    columns.count += static_cast<std::size_t>(width);
  }
  if (columns.pos < 0 || (columns.name < 0 && columns.number < 0))
    lines.fail("Properties has not both species:S:1 and pos:R:3 (names and positions are needed); add them");
  return columns;
}

double velocity_unit(const LineReader& lines, const std::map<std::string, std::string>& pairs) {
  const auto at = pairs.find("velocity_unit");
  if (at == pairs.end() || at->second == "A/ps") return 1;
  if (at->second != "A/fs") lines.fail("velocity_unit is neither A/ps nor A/fs; correct it");
  return 1000;
}

Vec3 three_reals(const LineReader& lines, const Fields& fields, int first, const char* what) {
  const auto at = static_cast<std::size_t>(first);
  return {lines.real(fields[at], what), lines.real(fields[at + 1], what), lines.real(fields[at + 2], what)};
}

void read_atom(const LineReader& lines, const Fields& fields, const Columns& columns, Structure& frame) {
  const auto field = [&](int column) { return fields[static_cast<std::size_t>(column)]; };
  std::string name;
  if (columns.name >= 0) {
    name = field(columns.name);
    if (!is_species_name(name) || (name[0] >= '0' && name[0] <= '9'))
      lines.fail(fmt::format("'{}' cannot name an atom's element; write its symbol", printable(name)));
  } else {
    const std::int64_t number = lines.integer(field(columns.number), "the atomic number");
    if (number < 1 || number > 118)
      lines.fail(fmt::format("atomic number {} does not exist; correct it", number));
    name = element_symbol(static_cast<int>(number));
  }
  const std::int32_t species = species_index(frame, name);
  if (frame.species_name.size() > k_max_species)
    lines.fail("there are too many kinds of atoms; correct the names");
  frame.species.push_back(species);
  frame.position.push_back(three_reals(lines, fields, columns.pos, "a coordinate"));
  if (columns.velocity >= 0)
    frame.velocity.push_back(three_reals(lines, fields, columns.velocity, "a velocity"));
  if (columns.charge >= 0) frame.charge.push_back(lines.real(field(columns.charge), "the charge"));
  frame.id.push_back(columns.id >= 0 ? lines.integer(field(columns.id), "the atom id")
                                     : static_cast<std::int64_t>(frame.natoms()));
  if (columns.mass < 0) return;
  const double mass = lines.real(field(columns.mass), "the mass");
  double& known = frame.species_mass[static_cast<std::size_t>(species)];
  if (!(mass > 0) || (known > 0 && known != mass))
    lines.fail(fmt::format("{} has mass {} (not above 0, or different from another {}); correct it", name,
                           mass, name));
  known = mass;
}

Structure read_frame(LineReader& lines, std::int64_t natoms) {
  Structure frame;
  const auto pairs = parse_comment(lines, lines.need("the comment line"));
  frame.box = parse_box(lines, pairs);
  const auto properties = pairs.find("properties");
  const Columns columns = properties == pairs.end() ? Columns{} : parse_properties(lines, properties->second);
  const double unit = velocity_unit(lines, pairs);
  for (std::int64_t i = 0; i < natoms; ++i) {
    const Fields fields = split_fields(lines.need("the next atom"));
    if (columns.count == 0 ? fields.size() < 4 : fields.size() != columns.count)
      lines.fail(
          fmt::format("an atom line with {} columns (expected {}); correct the line or the number of atoms",
                      fields.size(), columns.count == 0 ? "name x y z" : std::to_string(columns.count)));
    read_atom(lines, fields, columns, frame);
  }
  for (Vec3& v : frame.velocity) v = unit * v;
  return frame;
}

}  // namespace

std::vector<Structure> read_extxyz(const ReaderInput& input) {
  LineReader lines(input.path, input.text);
  std::vector<Structure> frames;
  std::string_view line;
  while (lines.next(line)) {
    const Fields fields = split_fields(line);
    if (fields.empty()) continue;
    std::int64_t natoms = 0;
    if (fields.size() != 1 || !parse_number(fields[0], natoms) || natoms < 1)
      lines.fail(fmt::format("'{}' is no number of atoms (a frame starts with one above 0); correct it",
                             printable(line)));
    frames.push_back(read_frame(lines, natoms));
    frames.back().source = fmt::format("{} frame {}", printable(input.path), frames.size());
    check_named_species(frames.back(), input.user_names);
  }
  if (frames.empty()) lines.fail("there is no frame in the file (it is empty); give a file with atoms");
  if (frames.size() == 1) frames[0].source = printable(input.path);
  return frames;
}

}  // namespace nanoday
