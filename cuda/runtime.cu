// The device as host code sees it, on a GPU: memory, streams, copies, launches. Graphs are in graph.cu.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/runtime.hpp"

#include "core/error.hpp"
#include "cuda/cuda_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#define NANODAY_NVTX 1
#endif

namespace nanoday::cuda {
namespace {

constexpr double k_mib = 1024.0 * 1024.0;

struct Memory {
  std::mutex mutex;
  std::size_t bytes = 0, peak = 0;
};

Memory& memory() {
  // Never destroyed: arrays of static lifetime may be released after it would be.
  static Memory& all = *new Memory;
  return all;
}

/// Does nothing; that it can be found tells that this build has code for the device.
__global__ void probe() {}

std::string words(cudaError_t error) {
  return fmt::format("{}: {}", cudaGetErrorName(error), cudaGetErrorString(error));
}

/// As check(), for what goes wrong before anything has begun.
void check_usable(cudaError_t error, const char* what, const char* advice) {
  if (error == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  throw InputError(fmt::format("{} ({}); {}", what, words(error), advice));
}

}  // namespace

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // or the next call would report it again
  throw RunError(
      fmt::format("the GPU failed at {} ({}); run again with CUDA_LAUNCH_BLOCKING=1 to see which kernel it "
                  "is, or on the CPU",
                  what, words(error)));
}

DeviceCounts& counts() {
  static DeviceCounts all;
  return all;
}
const DeviceCounts& device_counts() { return counts(); }

Recorded*& recording() {
  thread_local Recorded* now = nullptr;
  return now;
}

std::size_t most_shared_bytes() {
  static const std::size_t most = [] {
    int device = 0, bytes = 0;
    check(cudaGetDevice(&device), "asking for the device");
    check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "asking for its shared memory");
    return static_cast<std::size_t>(bytes);
  }();
  return most;
}

std::string open_device(int local_rank) {
  int n = 0;
  const char* use_cpu = "use --device cpu, or make a GPU visible to this process";
  check_usable(cudaGetDeviceCount(&n), "no GPU can be used", use_cpu);
  require(n > 0, "no GPU can be used (CUDA sees none); {}", use_cpu);
  const int device = device_of(local_rank, n);
  check_usable(cudaSetDevice(device), "the GPU cannot be opened", use_cpu);
  cudaDeviceProp properties;
  check_usable(cudaGetDeviceProperties(&properties, device), "the GPU cannot be opened", use_cpu);
  cudaFuncAttributes attributes;
  const std::string no_code = fmt::format("this build has no code for {} (sm_{}{})", properties.name,
                                          properties.major, properties.minor);
  const std::string rebuild =
      fmt::format("configure it with -DNANODAY_CUDA_ARCHITECTURES={}{}", properties.major, properties.minor);
  check_usable(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&probe)), no_code.c_str(),
               rebuild.c_str());
  return fmt::format("{} ({} GiB, sm_{}{})", properties.name, properties.totalGlobalMem >> 30,
                     properties.major, properties.minor);
}

std::string device_key() {
  int device = 0;
  check(cudaGetDevice(&device), "asking for the device");
  char bus[32] = "";
  check(cudaDeviceGetPCIBusId(bus, sizeof bus, device), "asking for the device's place");
  return bus;
}

std::size_t device_bytes() {
  const std::lock_guard lock(memory().mutex);
  return memory().bytes;
}

std::size_t device_peak_bytes() {
  const std::lock_guard lock(memory().mutex);
  return memory().peak;
}

// --- memory ----------------------------------------------------------------------------------------------

void* allocate_bytes(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* p = nullptr;
  const cudaError_t error = cudaMalloc(&p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    std::size_t available = 0, total = 0;
    static_cast<void>(cudaMemGetInfo(&available, &total));
    throw RunError(
        fmt::format("the GPU's memory does not suffice ({:.0f} MiB more were asked for, {:.0f} of {:.0f} MiB "
                    "are free); use fewer atoms, or a GPU with more memory",
                    bytes / k_mib, available / k_mib, total / k_mib));
  }
  check(error, "cudaMalloc");
  count(counts().allocations);
  const std::lock_guard lock(memory().mutex);
  memory().bytes += bytes;
  memory().peak = std::max(memory().peak, memory().bytes);
  return p;
}

void release_bytes(void* p, std::size_t bytes) noexcept {
  if (p == nullptr) return;
  static_cast<void>(cudaFree(p));  // waits for the device; an earlier error is reported by the next check
  const std::lock_guard lock(memory().mutex);
  memory().bytes -= bytes;
}

void* allocate_pinned(std::size_t bytes) {
  void* p = nullptr;
  check(cudaHostAlloc(&p, std::max<std::size_t>(bytes, 1), cudaHostAllocPortable | cudaHostAllocMapped),
        "cudaHostAlloc");
  return p;
}

void release_pinned(void* p) noexcept { static_cast<void>(cudaFreeHost(p)); }

void copy_to_device(Stream& stream, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.handle().stream),
        "a copy to the device");
  count(recording() != nullptr ? recording()->bytes_to_device : counts().bytes_to_device,
        static_cast<std::int64_t>(bytes));
}

void copy_to_host(Stream& stream, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream.handle().stream),
        "a copy to the host");
  count(recording() != nullptr ? recording()->bytes_to_host : counts().bytes_to_host,
        static_cast<std::int64_t>(bytes));
}

void copy_on_device(Stream& stream, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream.handle().stream),
        "a copy on the device");
}

void fill_zero(Stream& stream, void* to, std::size_t bytes) {
  if (bytes > 0) check(cudaMemsetAsync(to, 0, bytes, stream.handle().stream), "a fill with zeros");
}

// --- streams ---------------------------------------------------------------------------------------------

Stream::Stream(bool high_priority) : handle_(std::make_unique<Handle>()) {
  int least = 0, greatest = 0;
  check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "asking for stream priorities");
  check(
      cudaStreamCreateWithPriority(&handle_->stream, cudaStreamNonBlocking, high_priority ? greatest : least),
      "making a stream");
  check(cudaEventCreateWithFlags(&handle_->reached, cudaEventDisableTiming), "making an event");
}

Stream::~Stream() {
  if (!handle_) return;
  static_cast<void>(cudaEventDestroy(handle_->reached));
  static_cast<void>(cudaStreamDestroy(handle_->stream));
}

Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void Stream::synchronize() { check(cudaStreamSynchronize(handle_->stream), "the work it was given"); }

void Stream::wait_for(Stream& other) {
  check(cudaEventRecord(other.handle_->reached, other.handle_->stream), "recording an event");
  check(cudaStreamWaitEvent(handle_->stream, other.handle_->reached, 0), "waiting for an event");
}

void* native_stream(Stream& stream) { return stream.handle().stream; }

struct Mark::State {
  cudaEvent_t event = nullptr;
};

Mark::Mark() : state_(std::make_unique<State>()) {
  check(cudaEventCreateWithFlags(&state_->event, cudaEventDisableTiming), "making an event");
}
Mark::~Mark() { static_cast<void>(cudaEventDestroy(state_->event)); }
void Mark::set(Stream& stream) {
  check(cudaEventRecord(state_->event, stream.handle().stream), "recording an event");
}
void Mark::wait() { check(cudaEventSynchronize(state_->event), "the work it was given"); }
bool Mark::done() {
  const cudaError_t state = cudaEventQuery(state_->event);
  if (state != cudaErrorNotReady) check(state, "the work it was given");
  static_cast<void>(cudaGetLastError());  // "not ready" is kept like an error
  return state == cudaSuccess;
}

void launch_kernel(Stream& stream, const DeviceKernel& kernel, const Grid& grid) {
  if (grid.blocks == 0) return;
  // Raising the limit is a property of the kernel, not work on a stream: done once for each new maximum.
  if (grid.shared_bytes > kernel.shared_bytes->load(std::memory_order_relaxed)) {
    check(cudaFuncSetAttribute(kernel.address, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(grid.shared_bytes)),
          kernel.name);
    kernel.shared_bytes->store(grid.shared_bytes, std::memory_order_relaxed);
  }
  void* arguments[] = {kernel.arguments};
  require_run(grid.blocks <= 0x7fffffff,
              "{} blocks were asked for at once (a launch has at most 2^31 - 1); use more GPUs", grid.blocks);
  check(cudaLaunchKernel(kernel.address, dim3(static_cast<unsigned>(grid.blocks)),
                         dim3(static_cast<unsigned>(grid.threads)), arguments, grid.shared_bytes,
                         stream.handle().stream),
        kernel.name);
  if (recording() == nullptr) count(counts().kernels);
}

// --- profiles and times ----------------------------------------------------------------------------------

#if defined(NANODAY_NVTX)
Range::Range(const char* name) { nvtxRangePushA(name); }
Range::~Range() { nvtxRangePop(); }
#else
Range::Range(const char*) {}
Range::~Range() = default;
#endif

struct DeviceTimer::State {
  cudaEvent_t begin = nullptr, end = nullptr;
};

DeviceTimer::DeviceTimer() : state_(std::make_unique<State>()) {
  check(cudaEventCreate(&state_->begin), "making an event");
  check(cudaEventCreate(&state_->end), "making an event");
}

DeviceTimer::~DeviceTimer() {
  static_cast<void>(cudaEventDestroy(state_->begin));
  static_cast<void>(cudaEventDestroy(state_->end));
}

namespace {

/// Inside a graph an event that the host will read must be a node of its own.
void record(cudaEvent_t event, Stream& stream) {
  const unsigned flags = recording() != nullptr ? cudaEventRecordExternal : cudaEventRecordDefault;
  check(cudaEventRecordWithFlags(event, stream.handle().stream, flags), "recording an event");
}

}  // namespace

void DeviceTimer::start(Stream& stream) { record(state_->begin, stream); }

void DeviceTimer::stop(Stream& stream) { record(state_->end, stream); }

double DeviceTimer::seconds() {
  check(cudaEventSynchronize(state_->end), "the work that was timed");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, state_->begin, state_->end), "reading a timer");
  return milliseconds * 1e-3;
}

}  // namespace nanoday::cuda
