// Memory that the ranks of a team all see: grows rarely, because a new segment costs more than a step.
// SPDX-License-Identifier: Apache-2.0
#include "team_memory.hpp"

namespace nanoday {

void TeamMemory::join(Transport& transport, std::size_t members, std::size_t member) {
  if (transport_ == &transport && capacity_.size() == members) return;
  transport_ = &transport;
  member_ = member;
  segment_.reset();
  capacity_.assign(members, 0);
}

void TeamMemory::reserve(const std::vector<std::size_t>& bytes) {
  bool enough = true;
  for (std::size_t k = 0; k < bytes.size(); ++k) enough = enough && bytes[k] <= capacity_[k];
  if (enough) return;
  for (std::size_t k = 0; k < bytes.size(); ++k)
    if (bytes[k] > capacity_[k]) capacity_[k] = bytes[k] + bytes[k] / 4;
  if (capacity_.size() == 1) {
    own_ = Array<std::byte>(capacity_[0]);
    return;
  }
  segment_.reset();
  segment_ = transport_->share(capacity_[member_]);
}

std::byte* TeamMemory::part(std::size_t member) {
  if (capacity_.size() == 1) return own_.data();
  return segment_ ? segment_->part(static_cast<int>(member)).data() : nullptr;
}

void TeamMemory::barrier() {
  if (capacity_.size() > 1) transport_->node_barrier();
}

}  // namespace nanoday
