// The threads of one block as fibers of one CPU thread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/host/host_launch.hpp"

#include <boost/context/fiber.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace nanoday::cuda_host {

/// Runs blocks one after another. A fiber takes thread after thread until one of them has to wait; only then
/// another fiber is needed, so that kernels without barriers cost no more than a loop. Fibers and their
/// stacks are kept for the next block.
class Team {
 public:
  Team();
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  void run_block(const HostKernel& kernel, const Grid& grid, long block, bool reversed);

  // For Block:
  void meet_block();
  const std::uint64_t* meet_warp(int thread, Meeting meeting, std::uint64_t value);
  std::byte* shared(std::size_t offset) const;

 private:
  /// Thrown in threads that wait when their block has failed, to take them off their stacks.
  struct Abandoned {};
  /// Values are kept in two halves by turns: fast lanes may bring the next one before slow ones have read.
  struct Warp {
    int arrived = 0;
    Meeting meeting = Meeting::sync_warp;
    unsigned generation = 0;
    std::array<std::array<std::uint64_t, 32>, 2> value;
  };
  /// A stack; number 0 is the caller's own.
  struct Strand {
    boost::context::fiber context;
    bool idle = true;
    void* sanitizer_stack = nullptr;  ///< what the address sanitizer wants to know about a stack
    const void* bottom = nullptr;
    std::size_t size = 0;
  };

  void begin(const HostKernel& kernel, const Grid& grid, long block, bool reversed);
  void finish();
  void work(int strand);
  void run_thread(int thread);
  void abandon();
  void release(int first_thread, int count);
  void suspend();
  int next_strand();
  int idle_strand();
  void switch_to(int strand);
  void arrived(boost::context::fiber&& from, int strand);
  std::string place() const;
  std::string stuck() const;

  const HostKernel* kernel_ = nullptr;
  Grid grid_;
  long block_ = 0;
  bool reversed_ = false;
  int started_ = 0, finished_ = 0, waiting_ = 0;
  std::vector<Warp> warps_;
  std::vector<int> strand_of_thread_;
  std::vector<std::byte> shared_;
  std::byte* shared_begin_ = nullptr;

  std::vector<Strand> strands_;
  std::vector<int> idle_;
  std::vector<int> ready_;  ///< a queue in a ring
  unsigned ready_head_ = 0, ready_tail_ = 0;
  int current_ = 0, previous_ = 0;
  bool abandoned_ = false, closing_ = false;
  std::exception_ptr failure_;
};

}  // namespace nanoday::cuda_host
