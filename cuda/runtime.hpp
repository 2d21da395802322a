// The device as host code sees it: memory, streams, events, launches, graphs. Nothing else calls CUDA.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"
#include "cuda/device.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace nanoday::NANODAY_GPU {

/// What has been asked of the device since the program began; tests assert on differences.
struct DeviceCounts {
  std::int64_t bytes_to_host = 0, bytes_to_device = 0;
  std::int64_t kernels = 0;  ///< launched one by one (not those inside graphs)
  std::int64_t graph_launches = 0;
  std::int64_t graph_nodes = 0;                       ///< kernels, copies and fills inside launched graphs
  std::int64_t graph_makings = 0, graph_updates = 0;  ///< recordings that made a new executable, or did not
  std::int64_t allocations = 0;  ///< cudaMalloc calls; also tells that captured graphs hold stale pointers
};
const DeviceCounts& device_counts();

/// Which of the visible devices a rank takes: ranks of a node are dealt to them in turn. \pre n_devices ≥ 1
inline int device_of(int local_rank, int n_devices) { return local_rank % n_devices; }
/// Throws InputError when there is no usable device. Called once by the machine before anything else.
/// Returns "NVIDIA H200 (139 GiB, sm_90)", or what stands for it on the CPU.
std::string open_device(int local_rank = 0);
/// The open device among those of this computer: "0000:3b:00.0"; empty where the CPU plays it.
std::string device_key();
/// Most dynamic shared memory a block may ask for on this device.
std::size_t most_shared_bytes();
/// Bytes in use by DeviceArrays now, and the largest value so far.
std::size_t device_bytes();
std::size_t device_peak_bytes();

/// An in-order queue of device work. Move-only.
class Stream {
 public:
  explicit Stream(bool high_priority = false);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  /// Host waits until everything queued is done; throws RunError with the device's words when it failed.
  void synchronize();
  /// What is queued here from now on waits for everything queued on `other` so far. Also joins a capture.
  void wait_for(Stream& other);
  struct Handle;
  Handle& handle() const { return *handle_; }

 private:
  std::unique_ptr<Handle> handle_;
};

/// As CUDA's libraries take it: a cudaStream_t; where the CPU plays the device, the Stream itself.
void* native_stream(Stream& stream);

/// Raw operations, all asynchronous on the stream (host memory should be pinned, see PinnedArray).
void* allocate_bytes(std::size_t bytes);  ///< throws RunError: how much was asked and how much is free
void release_bytes(void* p, std::size_t bytes) noexcept;
void* allocate_pinned(std::size_t bytes);
void release_pinned(void* p) noexcept;
void copy_to_device(Stream& stream, void* to, const void* from, std::size_t bytes);
void copy_to_host(Stream& stream, void* to, const void* from, std::size_t bytes);
void copy_on_device(Stream& stream, void* to, const void* from, std::size_t bytes);
void fill_zero(Stream& stream, void* to, std::size_t bytes);

/// Device memory that grows and never shrinks; growing loses what it held and makes captured graphs stale.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::size_t n) { resize(n); }
  ~DeviceArray() { release_bytes(data_, capacity_ * sizeof(T)); }
  DeviceArray(DeviceArray&& o) noexcept { swap(o); }
  DeviceArray& operator=(DeviceArray&& o) noexcept {
    swap(o);
    return *this;
  }
  /// Reserves a little more than asked, so that small growth costs nothing.
  void resize(std::size_t n) {
    if (n > capacity_) {
      const std::size_t wanted = capacity_ == 0 ? n : n + n / 8;
      release_bytes(data_, capacity_ * sizeof(T));
      data_ = nullptr;
      size_ = capacity_ = 0;  // what remains when there is no memory
      data_ = static_cast<T*>(allocate_bytes(wanted * sizeof(T)));
      capacity_ = wanted;
    }
    size_ = n;
  }
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  View<T> view() const { return {data_, size_}; }

 private:
  void swap(DeviceArray& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
  }
  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

/// Host memory the device can copy from and to without a stop, and that kernels may write to directly.
template <class T>
class PinnedArray {
 public:
  explicit PinnedArray(std::size_t n) : data_(static_cast<T*>(allocate_pinned(n * sizeof(T)))), size_(n) {}
  ~PinnedArray() { release_pinned(data_); }
  PinnedArray(const PinnedArray&) = delete;
  PinnedArray& operator=(const PinnedArray&) = delete;
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_;
  std::size_t size_;
};

/// Resizes `to` and queues the copy; `from` must stay until the stream has done it.
template <class T, class From>
void upload(Stream& stream, DeviceArray<T>& to, const From& from) {
  static_assert(sizeof(T) == sizeof(*from.data()));
  to.resize(from.size());
  if (from.size() > 0) copy_to_device(stream, to.data(), from.data(), from.size() * sizeof(T));
}
/// Queues the copy of `count` elements into host memory; valid after stream.synchronize().
template <class T>
void download(Stream& stream, T* to, const DeviceArray<T>& from, std::size_t count) {
  if (count > 0) copy_to_host(stream, to, from.data(), count * sizeof(T));
}

/// Shape of a launch.
struct Grid {
  std::int64_t blocks = 1;
  int threads = 128;             ///< per block, a multiple of 32, at most 1024
  std::size_t shared_bytes = 0;  ///< dynamic shared memory per block; above 48 KiB is asked for as needed
};
/// Blocks that cover n items with `threads` each.
inline Grid grid_for(std::int64_t n, int threads = 256) { return {(n + threads - 1) / threads, threads, 0}; }

/// Queues a kernel. No blocks: nothing happens. Throws RunError when the device refuses.
template <class Kernel>
void launch(Stream& stream, const Kernel& kernel, const Grid& grid);

/// A recorded sequence of device work on one stream and those that joined it.
class Graph {
 public:
  Graph();
  ~Graph();
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  /// Runs `body`, which queues work on `stream`; nothing is executed, everything is recorded. Replaces what
  /// was recorded before; where the same kinds of work follow each other as before, what was prepared for
  /// the device is changed instead of made anew. Streams that take part join with wait_for() and are joined
  /// back.
  void record(Stream& stream, const std::function<void()>& body);
  /// Queues the whole recording.
  void launch(Stream& stream);
  bool empty() const;
  int kernels() const;  ///< kernels recorded
  /// From now on what is recorded is out of date: not fresh(), but still what record() compares with.
  void expire();
  /// False when memory was allocated since the recording, whose pointers may then be stale, or expire() was
  /// called.
  bool fresh() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A point in a stream that the host can wait for, while the stream goes on.
class Mark {
 public:
  Mark();
  ~Mark();
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;
  void set(Stream& stream);  ///< behind everything queued so far; not inside a graph
  void wait();               ///< for the last set(); throws as Stream::synchronize()
  bool done();               ///< whether wait() would return at once; throws as it does

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A named range in profiles (NVTX), from construction to destruction; queues nothing.
class Range {
 public:
  explicit Range(const char* name);
  ~Range();
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

/// Measures device time between two points of a stream, for benchmarks [s]; also inside graphs, where it is
/// the time of the last launch.
class DeviceTimer {
 public:
  DeviceTimer();
  ~DeviceTimer();
  void start(Stream& stream);
  void stop(Stream& stream);
  double seconds();  ///< waits for stop()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nanoday::NANODAY_GPU

#if defined(NANODAY_CUDA_HOST)
#include "cuda/host/host_launch.hpp"  // IWYU pragma: export
#else
#include "cuda/device_launch.cuh"  // IWYU pragma: export
#endif
