// Memory that the ranks of a team all see; private where the team is one rank.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"
#include "transport.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace nanoday {

/// One part per member; contents are lost when it grows.
class TeamMemory {
 public:
  /// \param members  how many ranks the team has \param member  this one's place \pre one, or all of a node
  void join(Transport& transport, std::size_t members, std::size_t member);
  /// Collective over the team: parts of at least these sizes. All members give the same sizes.
  /// \param bytes (members)
  void reserve(const std::vector<std::size_t>& bytes);
  /// Memory of a member, aligned for any number.
  std::byte* part(std::size_t member);
  /// Collective over the team: what was written before is visible after.
  void barrier();
  std::size_t members() const { return capacity_.size(); }
  /// Of this member's part.
  std::size_t bytes() const { return capacity_.empty() ? 0 : capacity_[member_]; }

 private:
  Transport* transport_ = nullptr;
  std::unique_ptr<SharedSegment> segment_;
  Array<std::byte> own_;
  std::vector<std::size_t> capacity_;  ///< (members)
  std::size_t member_ = 0;
};

}  // namespace nanoday
