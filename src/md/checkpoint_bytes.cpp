// Headers and blocks of checkpoints to bytes and back.
// SPDX-License-Identifier: Apache-2.0
#include "md/checkpoint_bytes.hpp"

#include "by_id.hpp"
#include "md/bytes.hpp"
#include "md/choice_bytes.hpp"
#include "md/dplr_bytes.hpp"

#include <utility>

namespace nanoday {
namespace {

constexpr std::string_view k_magic = "nanoday\n";
constexpr std::uint32_t k_version = 6;  // 2: long-range part; 3: what low-rank plans round; 4: a block per
                                        // rank; 5: how ghosts travel; 6: when tables were chosen
constexpr std::int32_t k_no_route = -1;
constexpr std::uint64_t k_before = k_magic.size() + sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::uint64_t k_after = sizeof(std::uint64_t);  // the header's checksum

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

void get_atoms(ByteReader& in, Atoms& atoms) {
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

void put_files(ByteWriter& out, const std::vector<FileLength>& files) {
  out.put(static_cast<std::uint64_t>(files.size()));
  for (const FileLength& file : files) {
    out.put_text(file.name);
    out.put(file.length);
  }
}

std::vector<FileLength> get_files(ByteReader& in) {
  std::vector<FileLength> files;
  const auto n_files = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < n_files; ++i) {
    std::string name = in.get_text();
    files.push_back({std::move(name), in.get<std::uint64_t>()});
  }
  return files;
}

std::string encode_common(const Checkpoint& c, const std::vector<std::int32_t>& node_of,
                          const std::vector<BlockEntry>& blocks) {
  ByteWriter out;
  put_plan(out, c);
  out.put(c.thermostat);
  out.put(c.dt);
  out.put(c.seed);
  out.put(c.step);
  out.put_array(c.thermostat_state);
  put_box(out, c.box);
  out.put(c.list.age);
  out.put(static_cast<std::int32_t>(c.list.halo ? static_cast<int>(*c.list.halo) : k_no_route));
  out.put(c.tables);
  out.put(c.statistics);
  out.put_text(c.analysis);
  put_files(out, c.files);
  out.put_array(node_of);
  out.put_array(blocks);
  return out.bytes();
}

CheckpointHeader decode_common(std::string_view bytes, const std::string& source) {
  ByteReader in(bytes, source);
  CheckpointHeader header;
  Checkpoint& c = header.common;
  get_plan(in, c);
  c.thermostat = in.get<ThermostatKind>();
  c.dt = in.get<double>();
  c.seed = in.get<std::uint64_t>();
  c.step = in.get<std::int64_t>();
  c.thermostat_state = in.get_array<std::vector<double>>();
  c.box = get_box(in);
  c.list.age = in.get<std::int64_t>();
  if (const auto route = in.get<std::int32_t>(); route != k_no_route)
    c.list.halo = static_cast<HaloRoute>(route);
  c.tables = in.get<TableRecord>();
  c.statistics = in.get<ThermoStatistics>();
  c.analysis = in.get_text();
  c.files = get_files(in);
  c.node_of = in.get_array<std::vector<std::int32_t>>();
  header.blocks = in.get_array<std::vector<BlockEntry>>();
  require(in.at_end(), "{} has bytes left over (it is damaged); use another copy", source);
  return header;
}

/// Fills in where blocks lie; they fill the file to its end.
void place_blocks(CheckpointHeader& header, std::uint64_t begin, const ByteSource& source) {
  bool sound = !header.blocks.empty() && header.common.node_of.size() == header.blocks.size();
  std::uint64_t at = begin;
  for (const BlockEntry& block : header.blocks) {
    header.offset.push_back(at);
    sound = sound && block.natoms >= 0 && block.length <= source.size - at &&
            static_cast<std::uint64_t>(block.natoms) <= block.length;  // hence no sum overflows
    if (!sound) break;
    at += block.length;
    header.natoms += block.natoms;
  }
  require(sound && at == source.size,
          "{} is damaged or truncated (its blocks are not where they belong); use "
          "another copy",
          source.name);
}

/// Appends an array that has an element for each of `count` ids, or none.
template <class T>
void append_share(ByteReader& in, std::int64_t count, std::vector<T>& values, const std::string& source) {
  const auto found = in.get_array<std::vector<T>>();
  require(found.empty() || static_cast<std::int64_t>(found.size()) == count,
          "{} has {} values for {} ids (it is damaged); use another copy", source, found.size(), count);
  values.insert(values.end(), found.begin(), found.end());
}

}  // namespace

std::string encode_block(const Checkpoint& mine) {
  ByteWriter out;
  put_atoms(out, mine.atoms);
  out.put(static_cast<std::uint64_t>(mine.list.reference.size()));
  for (const Vec4& x : mine.list.reference) out.put(xyz(x));
  out.put_array(mine.input_id);
  out.put_array(mine.msd_origin);
  return out.bytes();
}

BlockEntry entry_of(const std::string& block, std::int64_t natoms) {
  return {natoms, block.size(), fnv1a(block)};
}

std::string encode_header(const Checkpoint& checkpoint, const std::vector<std::int32_t>& node_of,
                          const std::vector<BlockEntry>& blocks) {
  const std::string common = encode_common(checkpoint, node_of, blocks);
  ByteWriter out;
  for (const char c : k_magic) out.put(c);
  out.put(k_version);
  out.put_text(common);
  out.put(fnv1a(common));
  return out.bytes();
}

CheckpointHeader read_header(const ByteSource& source) {
  const std::string before = source.fetch(0, std::min(source.size, k_before));
  require(before.size() == k_before && before.starts_with(k_magic),
          "{} is not a checkpoint of this program (its first bytes differ); give the folder of a run",
          source.name);
  ByteReader in(std::string_view(before).substr(k_magic.size()), source.name);
  const auto version = in.get<std::uint32_t>();
  require(version == k_version,
          "{} is a checkpoint of version {} (this program reads {}); use the program that wrote it",
          source.name, version, k_version);
  const auto length = in.get<std::uint64_t>();
  const std::uint64_t rest = source.size - k_before;
  require(rest >= k_after && length <= rest - k_after,
          "{} ends too early (it is truncated or damaged); use another copy", source.name);
  const std::string common = source.fetch(k_before, length);
  const std::string checksum = source.fetch(k_before + length, k_after);
  ByteReader after(checksum, source.name);
  require(after.get<std::uint64_t>() == fnv1a(common),
          "{} is damaged (its checksum differs); use another copy", source.name);
  CheckpointHeader header = decode_common(common, source.name);
  place_blocks(header, k_before + length + k_after, source);
  return header;
}

void read_block(const ByteSource& source, const CheckpointHeader& header, std::size_t block,
                Checkpoint& into) {
  const BlockEntry& entry = header.blocks[block];
  const std::string bytes = source.fetch(header.offset[block], entry.length);
  require(fnv1a(bytes) == entry.checksum,
          "{} is damaged (the checksum of block {} differs); use another copy", source.name, block + 1);
  ByteReader in(bytes, source.name);
  const std::int64_t before = into.atoms.nlocal;
  get_atoms(in, into.atoms);
  const auto n_reference = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < n_reference; ++i) into.list.reference.push_back(padded(in.get<Vec3>()));
  const IdShares shares(header.natoms, static_cast<int>(header.blocks.size()));
  const std::int64_t served = shares.count(static_cast<int>(block));
  append_share(in, served, into.input_id, source.name);
  append_share(in, served, into.msd_origin, source.name);
  require(in.at_end() && into.atoms.nlocal - before == entry.natoms,
          "{} is damaged (block {} does not hold what the header says); use another copy", source.name,
          block + 1);
}

std::string encode_plan(const Checkpoint& checkpoint) {
  ByteWriter out;
  put_plan(out, checkpoint);
  return out.bytes();
}

void decode_plan(std::string_view bytes, Checkpoint& checkpoint) {
  ByteReader in(bytes, "the plan of another rank");
  get_plan(in, checkpoint);
}

std::string encode(const Checkpoint& checkpoint) {
  const std::string block = encode_block(checkpoint);
  return encode_header(checkpoint, {0}, {entry_of(block, checkpoint.atoms.nlocal)}) + block;
}

Checkpoint decode(std::string_view bytes, const std::string& source) {
  const ByteSource all{source, bytes.size(), [&](std::uint64_t offset, std::uint64_t count) {
                         return std::string(bytes.substr(offset, count));
                       }};
  CheckpointHeader header = read_header(all);
  for (std::size_t b = 0; b < header.blocks.size(); ++b) read_block(all, header, b, header.common);
  return std::move(header.common);
}

}  // namespace nanoday
