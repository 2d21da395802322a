// The threads of one block as fibers of one CPU thread.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/host/team.hpp"

#include <fmt/format.h>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <alloca.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace nanoday::cuda_host {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t k_stack_bytes = 256 * 1024;  // its frames are larger
#else
constexpr std::size_t k_stack_bytes = 64 * 1024;
#endif
constexpr int k_max_threads = 1024;
constexpr std::size_t k_guard_bytes = 256;  // behind shared memory
constexpr int k_poison = 0xFF;              // as float or double: not a number
constexpr int k_guard = 0xA5;

}  // namespace

Team::Team() : ready_(k_max_threads) { strands_.resize(1); }

Team::~Team() {
  closing_ = true;
  for (std::size_t s = 1; s < strands_.size(); ++s) switch_to(static_cast<int>(s));
}

void Team::run_block(const HostKernel& kernel, const Grid& grid, long block, bool reversed) {
  begin(kernel, grid, block, reversed);
  switch_to(idle_strand());
  finish();
}

void Team::begin(const HostKernel& kernel, const Grid& grid, long block, bool reversed) {
  kernel_ = &kernel;
  grid_ = grid;
  block_ = block;
  reversed_ = reversed;
  started_ = finished_ = waiting_ = 0;
  ready_head_ = ready_tail_ = 0;
  warps_.resize(grid.threads / 32);
  for (Warp& warp : warps_) warp.arrived = 0;
  strand_of_thread_.resize(grid.threads);
  const std::size_t alignment = 1024;
  shared_.resize(grid.shared_bytes + k_guard_bytes + alignment);
  const auto address = reinterpret_cast<std::uintptr_t>(shared_.data());
  shared_begin_ = shared_.data() + (alignment - address % alignment) % alignment;
  std::memset(shared_begin_, k_poison, grid.shared_bytes);
  std::memset(shared_begin_ + grid.shared_bytes, k_guard, k_guard_bytes);
}

void Team::finish() {
  const std::byte* guard = shared_begin_ + grid_.shared_bytes;
  const bool stayed_inside = std::all_of(guard, guard + k_guard_bytes,
                                         [](std::byte b) { return std::to_integer<int>(b) == k_guard; });
  if (!failure_ && finished_ < grid_.threads) {
    failure_ = std::make_exception_ptr(std::logic_error(stuck()));
  } else if (!failure_ && !stayed_inside) {
    failure_ = std::make_exception_ptr(
        std::logic_error(place() + " writes behind its shared memory; ask for more or index less"));
  }
  if (!failure_) return;
  abandon();
  std::rethrow_exception(std::exchange(failure_, nullptr));
}

/// Takes every waiting thread off its stack.
void Team::abandon() {
  abandoned_ = true;
  for (std::size_t s = 1; s < strands_.size(); ++s) {
    if (!strands_[s].idle) switch_to(static_cast<int>(s));
  }
  abandoned_ = false;
}

/// What a strand does all its life: threads that have not begun, then rest until it is wanted again.
void Team::work(int strand) {
  // Stacks begin at equal places of pages; shifted a little, their hot ends share no cache lines' sets.
  [[maybe_unused]] volatile char* shift = static_cast<char*>(alloca(1 + (strand % 32) * 128));
  while (!closing_) {
    strands_[strand].idle = false;
    while (started_ < grid_.threads && !failure_ && !abandoned_ && ready_head_ == ready_tail_) {
      const int number = started_++;
      const int thread = reversed_ ? grid_.threads - 1 - number : number;
      strand_of_thread_[thread] = strand;
      run_thread(thread);
    }
    strands_[strand].idle = true;
    idle_.push_back(strand);
    switch_to(failure_ || abandoned_ ? 0 : next_strand());
  }
}

void Team::run_thread(int thread) {
  try {
    Block block(*this, thread, grid_.threads, block_, grid_.blocks);
    kernel_->run(kernel_->kernel, block);
    ++finished_;
  } catch (const Abandoned&) {
  } catch (...) {
    failure_ = std::current_exception();
  }
}

void Team::meet_block() {
  if (++waiting_ == grid_.threads) {
    waiting_ = 0;
    release(0, grid_.threads);
  }
  suspend();
}

const std::uint64_t* Team::meet_warp(int thread, Meeting meeting, std::uint64_t value) {
  Warp& warp = warps_[thread / 32];
  if (warp.arrived == 0) warp.meeting = meeting;
  if (warp.meeting != meeting) {
    throw std::logic_error(fmt::format(
        "{}: lanes of warp {} meet for different things; all 32 must call the same", place(), thread / 32));
  }
  const auto& values = warp.value[warp.generation % 2];
  warp.value[warp.generation % 2][thread % 32] = value;
  if (++warp.arrived == 32) {
    warp.arrived = 0;
    ++warp.generation;
    release(thread / 32 * 32, 32);
  }
  suspend();
  return values.data();
}

std::byte* Team::shared(std::size_t offset) const {
  if (offset % 16 != 0 || offset > grid_.shared_bytes) {
    throw std::logic_error(
        fmt::format("{} asks for shared memory at byte {} of {}; offsets are multiples of 16 inside", place(),
                    offset, grid_.shared_bytes));
  }
  return shared_begin_ + offset;
}

/// Threads that may go on, in the order of this launch.
void Team::release(int first_thread, int count) {
  for (int k = 0; k < count; ++k) {
    const int thread = first_thread + (reversed_ ? count - 1 - k : k);
    ready_[ready_tail_++ % k_max_threads] = strand_of_thread_[thread];
  }
}

void Team::suspend() {
  switch_to(next_strand());
  if (abandoned_) throw Abandoned{};
}

/// Those that may go on come before those that have not begun: warps run as far ahead as they can.
int Team::next_strand() {
  if (ready_head_ != ready_tail_) return ready_[ready_head_++ % k_max_threads];
  return started_ < grid_.threads ? idle_strand() : 0;
}

int Team::idle_strand() {
  if (!idle_.empty()) {
    const int strand = idle_.back();
    idle_.pop_back();
    return strand;
  }
  const int strand = static_cast<int>(strands_.size());
  boost::context::protected_fixedsize_stack stacks(k_stack_bytes);
  const auto stack = stacks.allocate();
  const boost::context::preallocated place(stack.sp, stack.size, stack);
  strands_.emplace_back();
  strands_[strand].bottom = static_cast<std::byte*>(stack.sp) - stack.size;
  strands_[strand].size = stack.size;
  strands_[strand].context =
      boost::context::fiber(std::allocator_arg, place, stacks, [this, strand](boost::context::fiber&& from) {
        arrived(std::move(from), strand);
        work(strand);
        previous_ = strand;
        current_ = 0;
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_start_switch_fiber(nullptr, strands_[0].bottom, strands_[0].size);
#endif
        return std::move(strands_[0].context);
      });
  return strand;
}

/// Leaves this stack for another one; returns when somebody comes back to it.
void Team::switch_to(int strand) {
  if (strand == current_) return;
  const int self = std::exchange(current_, strand);
  previous_ = self;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&strands_[self].sanitizer_stack, strands_[strand].bottom,
                                 strands_[strand].size);
#endif
  // Moved out first: starting a thread may enlarge strands_.
  boost::context::fiber to = std::move(strands_[strand].context);
  arrived(std::move(to).resume(), self);
}

/// First thing on every stack that is switched to: keeps the one we came from.
void Team::arrived(boost::context::fiber&& from, [[maybe_unused]] int strand) {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(strands_[strand].sanitizer_stack, &bottom, &size);
  if (previous_ == 0) strands_[0].bottom = bottom, strands_[0].size = size;
#endif
  strands_[previous_].context = std::move(from);
}

std::string Team::place() const { return fmt::format("kernel {}, block {}", kernel_->name, block_); }

std::string Team::stuck() const {
  int in_warps = 0;
  for (const Warp& warp : warps_) in_warps += warp.arrived;
  return fmt::format(
      "{} hangs: {} of {} threads have finished, {} wait for their block and {} for their warp; every thread "
      "must "
      "reach every barrier, shuffle and ballot",
      place(), finished_, grid_.threads, waiting_, in_warps);
}

void Block::sync() { team_.meet_block(); }
const std::uint64_t* Block::meet(Meeting meeting, std::uint64_t value) {
  return team_.meet_warp(thread_, meeting, value);
}
std::byte* Block::shared_bytes(std::size_t offset) const { return team_.shared(offset); }

}  // namespace nanoday::cuda_host
