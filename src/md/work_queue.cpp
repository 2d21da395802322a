// Work done in order by a thread of its own.
// SPDX-License-Identifier: Apache-2.0
#include "md/work_queue.hpp"

#include <utility>

namespace nanoday {

WorkQueue::WorkQueue() : thread_([this] { work(); }) {}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard guard(lock_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WorkQueue::push(std::function<void()> work) {
  {
    const std::lock_guard guard(lock_);
    rethrow();
    waiting_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void WorkQueue::drain() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [&] { return waiting_.empty() && !busy_; });
  rethrow();
}

void WorkQueue::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void WorkQueue::work() {
  std::unique_lock guard(lock_);
  for (;;) {
    changed_.wait(guard, [&] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::function<void()> next = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    guard.unlock();
    std::exception_ptr failure;
    try {
      next();
    } catch (...) {
      failure = std::current_exception();
    }
    guard.lock();
    busy_ = false;
    if (failure) {
      failure_ = failure;
      waiting_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace nanoday
