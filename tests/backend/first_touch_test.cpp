// Shared arrays: every thread touches its own part of new memory first, so that it lies beside its core.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/first_touch.hpp"

#include <gtest/gtest.h>
#include <omp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <new>
#include <string>
#include <vector>

namespace nanoday {
namespace {

constexpr int k_threads = 4;
constexpr std::int64_t k_numbers = std::int64_t{1} << 23;  // 64 MiB: more than any allocator keeps in stock

std::int64_t quarter(int t) { return k_numbers * t / k_threads; }

/// Pages that each thread of a team was the first to touch so far.
std::vector<long> faults() {
  std::vector<long> of_thread(k_threads);
#pragma omp parallel num_threads(k_threads)
  {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    of_thread[omp_get_thread_num()] = usage.ru_minflt;
  }
  return of_thread;
}

TEST(FirstTouch, every_thread_touches_its_own_part_first) {
  const std::vector<long> before = faults();
  Array<double> numbers;
  cpu::resize_shared(numbers, k_numbers, k_threads, quarter);
  const std::vector<long> after = faults();
  long all = 0;
  for (int t = 0; t < k_threads; ++t) all += after[t] - before[t];
  // Fewer faults than pages where the kernel hands out large pages; even then sixteen megabytes are eight.
  ASSERT_GE(all, 8 * k_threads);
  for (int t = 0; t < k_threads; ++t) EXPECT_GT(after[t] - before[t], all / k_threads / 2) << t;
}

TEST(FirstTouch, has_the_size_asked_for_and_zeros_in_new_room) {
  Array<std::int32_t> numbers{7, 7, 7};
  const auto half = [](int t) { return std::int64_t{1000} * t / 2; };
  cpu::resize_shared(numbers, 1000, 2, half);
  EXPECT_EQ(numbers, Array<std::int32_t>(1000, 0));
  const std::int32_t* const place = numbers.data();
  numbers[5] = 3;
  const auto more = [](int t) { return std::int64_t{1100} * t / 2; };
  cpu::resize_shared(numbers, 1100, 2, more);
  EXPECT_EQ(numbers.data(), place) << "an eighth of spare room was not used";
  EXPECT_EQ(numbers[5], 3);
  cpu::resize_shared(numbers, 0, 2, [](int) { return std::int64_t{0}; });
  EXPECT_TRUE(numbers.empty());
}

TEST(FirstTouch, each_thread_makes_its_own_and_errors_come_back) {
  std::vector<int> maker(k_threads, -1);
  cpu::on_each_thread(k_threads, [&](int t) { maker[t] = omp_get_thread_num(); });
  EXPECT_EQ(maker, (std::vector{0, 1, 2, 3}));
  int made = 0;
  const auto fail_on_one = [&](int t) {
    if (t == 1) throw std::bad_alloc();
#pragma omp atomic
    ++made;
  };
  EXPECT_THROW(cpu::on_each_thread(k_threads, fail_on_one), std::bad_alloc);
  EXPECT_EQ(made, k_threads - 1) << "the others did not finish";
}

/// The first processor of every memory node.
std::vector<int> first_processors() {
  std::vector<int> first;
  for (int node = 0;; ++node) {
    std::ifstream list("/sys/devices/system/node/node" + std::to_string(node) + "/cpulist");
    int cpu = 0;
    if (!list.is_open()) return first;
    if (list >> cpu) first.push_back(cpu);
  }
}

/// Memory node of the page at `p`, negative when the kernel does not tell.
int node_of(void* p) {
  int status = -1;
  return syscall(SYS_move_pages, 0, 1UL, &p, nullptr, &status, 0) == 0 ? status : -1;
}

TEST(FirstTouch, pages_lie_on_the_memory_nodes_of_their_threads) {
  const std::vector<int> processors = first_processors();
  if (processors.size() < 2) GTEST_SKIP() << "this machine has one memory node";
  std::vector<int> node(k_threads, -1);
  cpu_set_t before;
  sched_getaffinity(0, sizeof before, &before);
#pragma omp parallel num_threads(k_threads)
  {
    const int me = omp_get_thread_num();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processors[static_cast<std::size_t>(me) % processors.size()], &one);
    unsigned on = 0;
    if (sched_setaffinity(0, sizeof one, &one) == 0 && syscall(SYS_getcpu, nullptr, &on, nullptr) == 0)
      node[me] = static_cast<int>(on);
  }
  Array<double> numbers;
  cpu::resize_shared(numbers, k_numbers, k_threads, quarter);
  for (int t = 0; t < k_threads; ++t)
    EXPECT_EQ(node_of(numbers.data() + (quarter(t) + quarter(t + 1)) / 2), node[t]) << t;
#pragma omp parallel num_threads(k_threads)
  sched_setaffinity(0, sizeof before, &before);
}

}  // namespace
}  // namespace nanoday
