// The two kinds of parts of a checkpoint file, to bytes and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/checkpoint.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace nanoday {

/// A block in the header's table; plain numbers.
struct BlockEntry {
  std::int64_t natoms = 0;
  std::uint64_t length = 0, checksum = 0;  ///< [bytes], FNV-1a
};

/// Bytes somewhere, of which only parts are fetched.
struct ByteSource {
  std::string name;  ///< for messages
  std::uint64_t size = 0;
  /// \pre offset + count ≤ size. Throws InputError when they cannot be read.
  std::function<std::string(std::uint64_t offset, std::uint64_t count)> fetch;
};

/// One rank's atoms, and what it keeps for the ids it serves.
std::string encode_block(const Checkpoint& mine);
BlockEntry entry_of(const std::string& block, std::int64_t natoms);

/// Everything else, as the file begins. \param blocks of all ranks, node_of.size()
std::string encode_header(const Checkpoint& checkpoint, const std::vector<std::int32_t>& node_of,
                          const std::vector<BlockEntry>& blocks);

/// The head of a file and where its blocks lie.
struct CheckpointHeader {
  Checkpoint common;  ///< without atoms
  std::vector<BlockEntry> blocks;
  std::vector<std::uint64_t> offset;  ///< (blocks)
  std::int64_t natoms = 0;            ///< of all blocks
};

/// Throws InputError for anything truncated, altered or of another version; asks for no more memory than the
/// file has bytes.
CheckpointHeader read_header(const ByteSource& source);

/// Appends a block's rows to those `into` has. Throws InputError when it is damaged.
void read_block(const ByteSource& source, const CheckpointHeader& header, std::size_t block,
                Checkpoint& into);

}  // namespace nanoday
