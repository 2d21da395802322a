// Arrays whose memory lies beside the cores that use it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <cstddef>
#include <functional>
#include <vector>

namespace nanoday::cpu {

/// Calls make(t) on thread t = 0 … threads − 1 of a team, outside parallel regions: what it allocates and
/// fills lies beside that thread. Throws what a call threw, after all calls.
void on_each_thread(int threads, const std::function<void(int)>& make);

/// Writes to every page of new memory: thread t of a team to bytes offset[t] … offset[t + 1] of `memory`. The
/// kernel places a page beside the core that writes to it first.
void touch_parts(void* memory, const std::vector<std::size_t>& offset);

/// Sets the size of an array that threads share. Where it must grow, what was in it is lost, and thread t
/// touches elements part(t) … part(t + 1) of the new memory first: on machines with several memory groups
/// (A64FX has four of twelve cores) they lie beside it then. \param part part(0) = 0, part(threads) ≤ n
template <class T, class Part>
void resize_shared(Array<T>& array, std::size_t n, int threads, const Part& part) {
  if (n > array.capacity()) {
    Array<T> room;
    room.reserve(n + n / 8);
    std::vector<std::size_t> offset;
    for (int t = 0; t <= threads; ++t) offset.push_back(static_cast<std::size_t>(part(t)) * sizeof(T));
    touch_parts(room.data(), offset);
    array.swap(room);
  }
  array.resize(n);
}

}  // namespace nanoday::cpu
