// Work done in order by a thread of its own, so that a machine that runs ahead need not wait for files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace nanoday {

/// One thread, first in, first out. After a failure nothing more is done; push() and drain() throw it.
class WorkQueue {
 public:
  WorkQueue();
  /// Finishes what is queued; a failure nobody has asked for is lost.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  void push(std::function<void()> work);
  /// Returns when everything queued is done.
  void drain();

 private:
  void work();
  void rethrow();

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool busy_ = false, closing_ = false;
  std::exception_ptr failure_;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace nanoday
