// How rows of a halo travel in ordinary steps: packing, messages, shares added up inside a team before they
// travel. SPDX-License-Identifier: Apache-2.0
#include "halo_routes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nanoday {
namespace {

constexpr int k_outward_tag = 0x4841, k_home_tag = 0x4842;

void pack(const GhostRows& rows, View<const Vec4> local, bool translate, double* buffer) {
  rows.for_each([&](std::int64_t row, std::int32_t atom, Vec3 translation) {
    const Vec3 x = xyz(local[static_cast<std::size_t>(atom)]);
    const Vec3 v = translate ? x + translation : x;
    double* const words = buffer + 3 * row;
    words[0] = v.x;
    words[1] = v.y;
    words[2] = v.z;
  });
}

Vec4 unpacked(const double* words) { return {words[0], words[1], words[2], 0}; }

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
  for (const auto& member : message.share)
    for (std::int64_t k = 0; k < member.count; ++k) {
      double* const sum = message.in.data() + 3 * static_cast<std::int64_t>(member.row[k]);
      for (int c = 0; c < 3; ++c)
        store(sum + c, static_cast<Word>(load<Word>(sum + c) + load<Word>(member.share + 3 * k + c)));
    }
}

/// The word that a member shows the others.
std::int64_t& word_of(TeamMemory& control, std::size_t member) {
  return *reinterpret_cast<std::int64_t*>(control.part(member));
}

}  // namespace

void HaloTravel::post_send(int to, int tag, View<const double> words) {
  if (!words.empty()) pending_.push_back(transport_.post_send(to, tag, bytes_of(words)));
}

void HaloTravel::post_receive(int from, int tag, View<double> words) {
  if (!words.empty()) pending_.push_back(transport_.post_receive(from, tag, writable_bytes_of(words)));
}

void HaloTravel::wait_all() {
  for (const auto request : pending_) transport_.wait(request);
  pending_.clear();
}

void HaloTravel::start_outward(const HaloRoutes& routes, View<const Vec4> local, bool translate) {
  // Alone, a rank need not wait for the other members' rows: each message leaves as soon as it is packed.
  const bool alone = data_.members() == 1;
  std::size_t next = 0;
  for (std::size_t b = 0; b < routes.to_neighbor.size(); ++b) {
    pack(routes.to_neighbor[b].rows, local, translate, routes.to_neighbor[b].buffer);
    if (!alone || next == routes.message.size() || routes.message[next].neighbor != b) continue;
    post_send(routes.message[next].peer, k_outward_tag, routes.message[next].out);
    ++next;
  }
  for (const auto& to : routes.to_member) pack(to.rows, local, translate, to.buffer);
  data_.barrier();
  for (const auto& message : routes.message) {
    if (!alone) post_send(message.peer, k_outward_tag, message.out);
    post_receive(message.peer, k_outward_tag, message.in);
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
  wait_all();
  data_.barrier();
  for (const auto& from : routes.from_neighbor)
    for (std::int64_t k = 0; k < from.count; ++k)
      ghost[static_cast<std::size_t>(from.first + k)] =
          unpacked(from.buffer + 3 * static_cast<std::int64_t>(from.row[k]));
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
  for (const auto& message : routes.message) {
    post_receive(message.peer, k_home_tag, message.out);
    sum_shares<Word>(message);
    post_send(message.peer, k_home_tag, message.in);
  }
  for (const auto& to : routes.to_member)
    to.rows.for_each(
        [&](std::int64_t row, std::int32_t atom, Vec3) { add_row(rows[atom], to.share + 3 * row); });
  const bool any = any_member();
  wait_all();
  data_.barrier();
  for (const auto& to : routes.to_neighbor)
    to.rows.for_each(
        [&](std::int64_t row, std::int32_t atom, Vec3) { add_row(rows[atom], to.buffer + 3 * row); });
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
  std::size_t sum = sizeof *this + list(own) + from_member.capacity() * sizeof from_member[0] +
                    from_neighbor.capacity() * sizeof from_neighbor[0];
  for (const auto& to : to_member) sum += sizeof to + list(to.rows);
  for (const auto& to : to_neighbor) sum += sizeof to + list(to.rows);
  for (const auto& m : message) sum += sizeof m + m.share.capacity() * sizeof m.share[0];
  return sum;
}

}  // namespace nanoday
