// The two checkpoint files of a run, written and read by all ranks together.
// SPDX-License-Identifier: Apache-2.0
#include "md/checkpoint.hpp"

#include "agreement.hpp"
#include "by_id.hpp"
#include "io/output_file.hpp"
#include "io/text.hpp"
#include "md/checkpoint_bytes.hpp"
#include "md/shared_file.hpp"

#include <filesystem>
#include <fstream>
#include <numeric>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

/// The blocks of all ranks.
std::vector<BlockEntry> block_table(Transport& ranks, const BlockEntry& mine) {
  constexpr std::size_t k_words = sizeof(BlockEntry) / sizeof(std::int64_t);
  std::vector<BlockEntry> table(static_cast<std::size_t>(ranks.size()));
  table[static_cast<std::size_t>(ranks.rank())] = mine;  // zeros elsewhere: summing puts the table together
  ranks.all_reduce_sum(
      View<std::int64_t>(reinterpret_cast<std::int64_t*>(table.data()), k_words * table.size()));
  return table;
}

/// A file of which parts are read.
ByteSource file_source(const std::string& path) {
  auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
  std::error_code problem;
  const auto size = fs::file_size(path, problem);
  require(file->is_open() && !problem, "{} cannot be read (missing, or no permission); check the path",
          printable(path));
  const auto fetch = [file, path](std::uint64_t offset, std::uint64_t count) {
    std::string bytes(count, '\0');
    file->seekg(static_cast<std::streamoff>(offset));
    file->read(bytes.data(), static_cast<std::streamsize>(count));
    require(static_cast<bool>(*file), "{} cannot be read (the disk or the file changed); use another copy",
            printable(path));
    return bytes;
  };
  return {path, size, fetch};
}

/// What of a file one rank reads: the header, and every block b with b · ranks / blocks = rank.
struct OwnPart {
  CheckpointHeader header;
  std::vector<std::int64_t> id;  ///< that the blocks' ranks served
};

OwnPart read_own_part(const std::string& path, const Transport& ranks) {
  const ByteSource source = file_source(path);
  OwnPart part{read_header(source), {}};
  const auto n_blocks = static_cast<std::int64_t>(part.header.blocks.size());
  const IdShares served(part.header.natoms, static_cast<int>(n_blocks));
  for (std::int64_t b = 0; b < n_blocks; ++b) {
    if (b * ranks.size() / n_blocks != ranks.rank()) continue;
    read_block(source, part.header, static_cast<std::size_t>(b), part.header.common);
    const std::size_t before = part.id.size();
    part.id.resize(before + static_cast<std::size_t>(served.count(static_cast<int>(b))));
    std::iota(part.id.begin() + static_cast<std::ptrdiff_t>(before), part.id.end(),
              served.first(static_cast<int>(b)));
  }
  return part;
}

/// Values go to the ranks that serve their ids now. A file has none or one for every id.
template <class T>
void deal_values(Transport& ranks, const OwnPart& part, std::vector<T>& values) {
  auto everywhere = static_cast<std::int64_t>(values.size());
  ranks.all_reduce_sum(View<std::int64_t>(&everywhere, 1));
  if (everywhere == 0) return;
  const IdShares shares(part.header.natoms, ranks.size());
  values = rows_by_id(ranks, shares, View<const std::int64_t>(part.id).subview(0, values.size()), values);
}

/// Reads, or says on all ranks alike why not.
std::string try_read(const std::string& path, Transport& ranks, FoundCheckpoint& found) {
  std::string problem;
  OwnPart part;
  try {
    part = read_own_part(path, ranks);
  } catch (const InputError& error) {
    problem = error.what();
  }
  problem = first_text(ranks, problem);
  if (!problem.empty()) return problem;
  Checkpoint& c = part.header.common;
  if (static_cast<int>(part.header.blocks.size()) != ranks.size()) {
    deal_values(ranks, part, c.input_id);
    deal_values(ranks, part, c.msd_origin);
  }
  const std::vector<int>& nodes = ranks.node_of();
  c.dealt = !std::equal(c.node_of.begin(), c.node_of.end(), nodes.begin(), nodes.end());
  found.checkpoint = std::move(c);
  return "";
}

/// What the first rank sees; the same answer on all ranks.
bool exists(Transport& ranks, const std::string& path) {
  auto there = static_cast<std::byte>(ranks.rank() == 0 && fs::exists(path));
  ranks.broadcast(0, View<std::byte>(&there, 1));
  return there != std::byte{0};
}

}  // namespace

void write_checkpoint(const std::string& folder, const Checkpoint& checkpoint, Transport& ranks) {
  const std::string path = (fs::path(folder) / k_checkpoint_file).string();
  const std::string previous = (fs::path(folder) / k_previous_checkpoint_file).string();
  const std::string temporary = path + ".tmp";
  const bool first = ranks.rank() == 0;
  const std::string block = encode_block(checkpoint);
  const auto table = block_table(ranks, entry_of(block, checkpoint.atoms.nlocal));
  const std::vector<std::int32_t> node_of(ranks.node_of().begin(), ranks.node_of().end());
  try {
    SharedFile file = SharedFile::create(ranks, temporary);
    file.append(first ? encode_header(checkpoint, node_of, table) : "");
    file.append(block);
    file.sync();
    together(ranks, [&] {
      if (first) replace_file(temporary, path, previous);
    });
  } catch (const RunError&) {
    if (first) discard_file(temporary);
    throw;
  }
}

FoundCheckpoint read_checkpoint(const std::string& path, Transport& ranks) {
  FoundCheckpoint found;
  const std::string problem = try_read(path, ranks, found);
  require(problem.empty(), "{}", problem);
  return found;
}

FoundCheckpoint find_checkpoint(const std::string& folder, Transport& ranks) {
  const std::string current = (fs::path(folder) / k_checkpoint_file).string();
  const std::string previous = (fs::path(folder) / k_previous_checkpoint_file).string();
  const bool there = exists(ranks, folder), has_previous = exists(ranks, previous);
  require(there, "{} does not exist (a run's results are a folder); give the folder of a run", folder);
  require(has_previous || exists(ranks, current),
          "{} holds no checkpoint (no run was started there); give the folder of a run", folder);
  FoundCheckpoint found;
  const std::string problem = try_read(current, ranks, found);
  if (problem.empty()) return found;
  require(has_previous, "{} (and there is no {})", problem, previous);
  const std::string second = try_read(previous, ranks, found);
  require(second.empty(), "{}; and the one before: {}", problem, second);
  found.warning = fmt::format("{}; continuing from the one before, {}", problem, previous);
  return found;
}

}  // namespace nanoday
