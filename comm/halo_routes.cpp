// How rows of a halo travel in ordinary steps: packing, messages, shares added up inside a team before they
// travel. SPDX-License-Identifier: Apache-2.0
#include "halo_routes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nanoday {
namespace {

constexpr int k_outward_tag = 0x4841, k_home_tag = 0x4842;

void put(Vec3 v, double* words) {
  words[0] = v.x;
  words[1] = v.y;
  words[2] = v.z;
}

Vec4 unpacked(const double* words) { return {words[0], words[1], words[2], 0}; }

void pack(const GhostRows& rows, View<const Vec4> local, bool translate, double* buffer) {
  rows.for_each([&](std::int64_t row, std::int32_t atom, Vec3 translation) {
    const Vec3 x = xyz(local[static_cast<std::size_t>(atom)]);
    put(translate ? x + translation : x, buffer + 3 * row);
  });
}

void pack(const std::vector<std::int32_t>& atoms, View<const Vec4> local, double* buffer) {
  for (const std::int32_t atom : atoms) {
    put(xyz(local[static_cast<std::size_t>(atom)]), buffer);
    buffer += 3;
  }
}

void unpack(const HaloRoutes::FromNeighbor& from, bool translate, View<Vec4> ghost) {
  std::int64_t k = 0;
  for (const GhostRows::Run& run : from.run)
    for (; k < run.end; ++k) {
      Vec4& g = ghost[static_cast<std::size_t>(from.first + k)];
      g = unpacked(from.buffer + 3 * static_cast<std::int64_t>(from.row[k]));
      if (translate) g = padded(xyz(g) + run.translation);
    }
}

void forward(const HaloRoutes::Forward& relay) {
  for (std::int64_t k = 0; k < relay.count; ++k)
    std::copy_n(relay.from + 3 * static_cast<std::int64_t>(relay.row[k]), 3, relay.to + 3 * k);
}

/// Buffers are declared as doubles; shares in fixed point are integers of the same size.
template <class Word>
Word load(const double* word) {
  Word value;
  std::memcpy(&value, word, sizeof value);
  return value;
}
template <class Word>
void store(double* word, Word value) {
  std::memcpy(word, &value, sizeof value);
}

template <class Word>
void add_row(Word* home, const double* share) {
  for (int c = 0; c < 3; ++c) home[c] += load<Word>(share + c);
}

template <class Word>
void sum_shares(const HaloRoutes::Message& message) {
  std::fill(message.in.begin(), message.in.end(), 0.0);
  for (const auto& part : message.share)
    for (std::int64_t k = 0; k < part.count; ++k) {
      double* const sum = message.in.data() + 3 * static_cast<std::int64_t>(part.row[k]);
      for (int c = 0; c < 3; ++c)
        store(sum + c, static_cast<Word>(load<Word>(sum + c) + load<Word>(part.share + 3 * k + c)));
    }
}

/// The word that a member shows the others.
std::int64_t& word_of(TeamMemory& control, std::size_t member) {
  return *reinterpret_cast<std::int64_t*>(control.part(member));
}

}  // namespace

void HaloTravel::post_send(const HaloRoutes::Message& message, int tag, View<const double> words) {
  if (words.empty()) return;
  pending_[static_cast<std::size_t>(message.stage)].push_back(
      transport_.post_send(message.peer, tag, bytes_of(words)));
}

void HaloTravel::post_receive(const HaloRoutes::Message& message, int tag, View<double> words) {
  if (words.empty()) return;
  pending_[static_cast<std::size_t>(message.stage)].push_back(
      transport_.post_receive(message.peer, tag, writable_bytes_of(words)));
}

void HaloTravel::finish_stage(int stage) {
  for (const auto request : pending_[static_cast<std::size_t>(stage)]) transport_.wait(request);
  pending_[static_cast<std::size_t>(stage)].clear();
  data_.barrier();
}

void HaloTravel::start_outward(const HaloRoutes& routes, View<const Vec4> local, bool translate) {
  // Alone, a rank need not wait for the other members' rows: each message leaves as soon as it is packed.
  const bool alone = data_.members() == 1;
  std::size_t next = 0;
  for (std::size_t b = 0; b < routes.to_neighbor.size(); ++b) {
    pack(routes.to_neighbor[b].atom, local, routes.to_neighbor[b].buffer);
    if (!alone || next == routes.message.size() || routes.message[next].neighbor != b) continue;
    const HaloRoutes::Message& message = routes.message[next++];
    if (message.stage == 0) post_send(message, k_outward_tag, message.out);
  }
  for (const auto& to : routes.to_member) pack(to.rows, local, translate, to.buffer);
  data_.barrier();
  for (const auto& message : routes.message) {
    if (!alone && message.stage == 0) post_send(message, k_outward_tag, message.out);
    post_receive(message, k_outward_tag, message.in);
  }
}

void HaloTravel::finish_outward(const HaloRoutes& routes, View<const Vec4> local, View<Vec4> ghost,
                                bool translate) {
  routes.own.for_each([&](std::int64_t row, std::int32_t atom, Vec3 translation) {
    const Vec3 x = xyz(local[static_cast<std::size_t>(atom)]);
    ghost[static_cast<std::size_t>(row)] = padded(translate ? x + translation : x);
  });
  for (const auto& from : routes.from_member)
    for (std::int64_t k = 0; k < from.count; ++k)
      ghost[static_cast<std::size_t>(from.first + k)] = unpacked(from.buffer + 3 * k);
  for (int stage = 0; stage < routes.stages; ++stage) {
    if (stage > 0)
      for (const auto& message : routes.message) {
        if (message.stage != stage) continue;
        for (const auto& relay : message.relay) forward(relay);
        post_send(message, k_outward_tag, message.out);
      }
    finish_stage(stage);
  }
  for (const auto& from : routes.from_neighbor) unpack(from, translate, ghost);
}

template <class Word>
bool HaloTravel::bring_home(const HaloRoutes& routes, Rows<Word> rows, bool more) {
  word_of(control_, routes.member) = more;
  const Rows<Word> ghost{rows[routes.nlocal], rows.stride};
  double* share = routes.shares;
  for (std::int64_t g = routes.own.size(); g < routes.nghost; ++g)
    for (int c = 0; c < 3; ++c) store(share++, std::exchange(ghost[g][c], Word{}));
  routes.own.for_each([&](std::int64_t row, std::int32_t atom, Vec3) {
    for (int c = 0; c < 3; ++c) rows[atom][c] += std::exchange(ghost[row][c], Word{});
  });
  data_.barrier();
  for (const auto& message : routes.message) post_receive(message, k_home_tag, message.out);
  bool any = false;
  for (int stage = routes.stages - 1; stage >= 0; --stage) {
    for (const auto& message : routes.message) {
      if (message.stage != stage) continue;
      sum_shares<Word>(message);
      post_send(message, k_home_tag, message.in);
    }
    if (stage == 0) {
      for (const auto& to : routes.to_member)
        to.rows.for_each(
            [&](std::int64_t row, std::int32_t atom, Vec3) { add_row(rows[atom], to.share + 3 * row); });
      any = any_member();
    }
    finish_stage(stage);
  }
  for (const auto& to : routes.to_neighbor)
    for (std::size_t k = 0; k < to.atom.size(); ++k) add_row(rows[to.atom[k]], to.buffer + 3 * k);
  return any;
}

template bool HaloTravel::bring_home<double>(const HaloRoutes&, Rows<double>, bool);
template bool HaloTravel::bring_home<std::uint64_t>(const HaloRoutes&, Rows<std::uint64_t>, bool);

// Read between the two barriers: written before the first one, and not again before the second.
bool HaloTravel::any_member() const {
  bool any = false;
  for (std::size_t k = 0; k < control_.members(); ++k) any = any || word_of(control_, k) != 0;
  return any;
}

std::size_t HaloRoutes::bytes() const {
  const auto list = [](const GhostRows& rows) {
    return rows.atom.capacity() * sizeof rows.atom[0] + rows.run.capacity() * sizeof rows.run[0];
  };
  std::size_t sum = sizeof *this + list(own) + from_member.capacity() * sizeof from_member[0];
  for (const auto& from : from_neighbor) sum += sizeof from + from.run.capacity() * sizeof from.run[0];
  for (const auto& to : to_member) sum += sizeof to + list(to.rows);
  for (const auto& to : to_neighbor) sum += sizeof to + to.atom.capacity() * sizeof to.atom[0];
  for (const auto& m : message)
    sum += sizeof m + m.share.capacity() * sizeof m.share[0] + m.relay.capacity() * sizeof m.relay[0];
  return sum;
}

}  // namespace nanoday
