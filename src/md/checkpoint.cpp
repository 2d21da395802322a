// Checkpoints to bytes and back, and their two files.
// SPDX-License-Identifier: Apache-2.0
#include "md/checkpoint.hpp"

#include "io/output_file.hpp"
#include "io/text.hpp"
#include "md/bytes.hpp"
#include "md/choice_bytes.hpp"
#include "md/dplr_bytes.hpp"

#include <filesystem>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_magic = "nanoday\n";
constexpr std::uint32_t k_version = 3;  // 2: long-range part; 3: what low-rank plans round
constexpr std::size_t k_header = k_magic.size() + sizeof(std::uint32_t) + sizeof(std::uint64_t);

void put_atoms(ByteWriter& out, const Atoms& atoms) {
  out.put(atoms.nlocal);
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    out.put(xyz(atoms.position[i]));
    out.put(xyz(atoms.velocity[i]));
    out.put(atoms.image[i]);
    out.put(atoms.type[i]);
    out.put(atoms.id[i]);
    out.put(atoms.mass[i]);
  }
}

Atoms get_atoms(ByteReader& in) {
  Atoms atoms;
  const auto count = in.get<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {  // grows with what is read: a false count cannot ask for memory
    atoms.position.push_back(padded(in.get<Vec3>()));
    atoms.velocity.push_back(padded(in.get<Vec3>()));
    atoms.image.push_back(in.get<std::array<std::int32_t, 3>>());
    atoms.type.push_back(in.get<std::int32_t>());
    atoms.id.push_back(in.get<std::int64_t>());
    atoms.mass.push_back(in.get<double>());
  }
  atoms.nlocal = static_cast<std::int64_t>(atoms.position.size());
  return atoms;
}

void put_box(ByteWriter& out, const Box& box) {
  out.put(box.cell);
  out.put(box.origin);
  for (const bool periodic : box.periodic) out.put(static_cast<std::uint8_t>(periodic));
}

Box get_box(ByteReader& in) {
  Box box;
  box.cell = in.get<std::array<Vec3, 3>>();
  box.origin = in.get<Vec3>();
  for (bool& periodic : box.periodic) periodic = in.get<std::uint8_t>() != 0;
  return box;
}

void put_plan(ByteWriter& out, const Checkpoint& c) {
  out.put_text(c.model_hash);
  out.put(c.table);
  out.put(c.precision);
  put_choice(out, c.choice);
  out.put(c.error.force_rms);
  out.put(c.error.force_max);
  out.put(c.error.energy_per_atom);
  out.put(c.error.atoms);
  out.put(c.error.copies);
  put_dplr(out, c.dplr);
}

void get_plan(ByteReader& in, Checkpoint& c) {
  c.model_hash = in.get_text();
  c.table = in.get<TableKind>();
  c.precision = in.get<Precision>();
  c.choice = get_choice(in);
  c.error.force_rms = in.get<double>();
  c.error.force_max = in.get<double>();
  c.error.energy_per_atom = in.get<double>();
  c.error.atoms = in.get<std::int64_t>();
  c.error.copies = in.get<int>();
  c.dplr = get_dplr(in);
}

std::string encode_payload(const Checkpoint& c) {
  ByteWriter out;
  put_plan(out, c);
  out.put(c.thermostat);
  out.put(c.dt);
  out.put(c.seed);
  out.put(c.step);
  out.put_array(c.thermostat_state);
  put_box(out, c.box);
  put_atoms(out, c.atoms);
  out.put_array(c.input_id);
  out.put_array(c.list.reference);
  out.put(c.list.age);
  out.put(c.statistics);
  out.put_text(c.analysis);
  out.put(static_cast<std::uint64_t>(c.files.size()));
  for (const FileLength& file : c.files) {
    out.put_text(file.name);
    out.put(file.length);
  }
  return out.bytes();
}

Checkpoint decode_payload(std::string_view bytes, const std::string& source) {
  ByteReader in(bytes, source);
  Checkpoint c;
  get_plan(in, c);
  c.thermostat = in.get<ThermostatKind>();
  c.dt = in.get<double>();
  c.seed = in.get<std::uint64_t>();
  c.step = in.get<std::int64_t>();
  c.thermostat_state = in.get_array<std::vector<double>>();
  c.box = get_box(in);
  c.atoms = get_atoms(in);
  c.input_id = in.get_array<std::vector<std::int64_t>>();
  c.list.reference = in.get_array<Array<Vec4>>();
  c.list.age = in.get<std::int64_t>();
  c.statistics = in.get<ThermoStatistics>();
  c.analysis = in.get_text();
  const auto n_files = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < n_files; ++i) {
    std::string name = in.get_text();
    c.files.push_back({std::move(name), in.get<std::uint64_t>()});
  }
  require(in.at_end(), "{} has bytes left over (it is damaged); use another copy", source);
  return c;
}

}  // namespace

std::string encode(const Checkpoint& checkpoint) {
  const std::string payload = encode_payload(checkpoint);
  ByteWriter out;
  for (const char c : k_magic) out.put(c);
  out.put(k_version);
  out.put_text(payload);
  out.put(fnv1a(payload));
  return out.bytes();
}

Checkpoint decode(std::string_view bytes, const std::string& source) {
  require(bytes.size() >= k_header && bytes.substr(0, k_magic.size()) == k_magic,
          "{} is not a checkpoint of this program (its first bytes differ); give the folder of a run",
          source);
  ByteReader in(bytes.substr(k_magic.size()), source);
  const auto version = in.get<std::uint32_t>();
  require(version == k_version,
          "{} is a checkpoint of version {} (this program reads {}); use the program that wrote "
          "it",
          source, version, k_version);
  const std::string payload = in.get_text();
  const auto checksum = in.get<std::uint64_t>();
  require(in.at_end() && checksum == fnv1a(payload), "{} is damaged (its checksum differs); use another copy",
          source);
  return decode_payload(payload, source);
}

void write_checkpoint(const std::string& folder, const Checkpoint& checkpoint) {
  atomic_write((fs::path(folder) / k_checkpoint_file).string(), encode(checkpoint),
               (fs::path(folder) / k_previous_checkpoint_file).string());
}

FoundCheckpoint find_checkpoint(const std::string& folder) {
  const std::string current = (fs::path(folder) / k_checkpoint_file).string();
  const std::string previous = (fs::path(folder) / k_previous_checkpoint_file).string();
  require(fs::is_directory(folder), "{} is not a folder (or does not exist); give the folder of a run",
          folder);
  require(fs::exists(current) || fs::exists(previous),
          "{} holds no checkpoint (no run was started there); give the "
          "folder of a run",
          folder);
  try {
    return {decode(read_bytes(current), current), ""};
  } catch (const InputError& error) {
    if (!fs::exists(previous))
      throw InputError(fmt::format("{} (and there is no {})", error.what(), previous));
    try {
      return {decode(read_bytes(previous), previous),
              fmt::format("{}; continuing from the one before, {}", error.what(), previous)};
    } catch (const InputError& second) {
      throw InputError(fmt::format("{}; and the one before: {}", error.what(), second.what()));
    }
  }
}

}  // namespace nanoday
