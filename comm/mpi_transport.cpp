// Ranks that are processes of one MPI job.
// SPDX-License-Identifier: Apache-2.0
//
// All arrays are host memory. Where an MPI can read a GPU's memory, post_send() and post_receive() may be
// given device pointers as they are, since MPI looks at the pointer itself; the caller must have synchronised
// the stream that wrote them. The sums, exchange() and share() need host memory.
#include "mpi_transport.hpp"

#include "transport_parts.hpp"

#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <string_view>

namespace nanoday {

void check_mpi(int result, const char* doing) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw RunError(fmt::format("MPI failed while {} ({})", doing, text));
}

namespace {

constexpr int k_exchange_tag =
    32767;  // the largest tag that every MPI has; transports' users have those below
constexpr std::size_t k_chunk = std::size_t(1)
                                << 28;  // elements of one collective call, which counts with int

/// While an exception is on its way other ranks may not be here: what waits for them must not be called.
bool may_wait_for_others() { return std::uncaught_exceptions() == 0; }

/// What this MPI says of itself: Open MPI by a function, Cray's by what its users must set.
bool gpu_aware() {
#if defined(MPIX_CUDA_AWARE_SUPPORT)
  if (MPIX_Query_cuda_support() != 0) return true;
#endif
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(version, &length);
  const bool cray = std::string_view(version, static_cast<std::size_t>(length)).find("CRAY MPICH") !=
                    std::string_view::npos;
  const char* const enabled = std::getenv("MPICH_GPU_SUPPORT_ENABLED");
  return cray && enabled != nullptr && std::string_view(enabled) == "1";
}

/// Owns a communicator, whose errors are returned.
class Communicator {
 public:
  explicit Communicator(MPI_Comm comm) : comm_(comm) {
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "preparing a communicator");
  }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator() {
    if (may_wait_for_others()) MPI_Comm_free(&comm_);
  }
  MPI_Comm get() const { return comm_; }

 private:
  MPI_Comm comm_;
};

MPI_Comm copy_of_world() {
  MPI_Comm comm;
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "copying a communicator");
  return comm;
}

/// Collective: the ranks of the same color, in their present order.
MPI_Comm part_of(MPI_Comm comm, int color) {
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm part;
  check_mpi(MPI_Comm_split(comm, color, rank, &part), "splitting a communicator");
  return part;
}

/// Collective: (ranks) the machine of every rank, numbered in order of their first ranks.
std::vector<int> machines_of(MPI_Comm world) {
  int rank = 0, size = 0;
  MPI_Comm_rank(world, &rank);
  MPI_Comm_size(world, &size);
  MPI_Comm part;
  check_mpi(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &part),
            "looking for nodes");
  const Communicator machine(part);
  int first = rank;
  check_mpi(MPI_Bcast(&first, 1, MPI_INT, 0, machine.get()), "looking for nodes");
  std::vector<int> all(static_cast<std::size_t>(size));
  check_mpi(MPI_Allgather(&first, 1, MPI_INT, all.data(), 1, MPI_INT, world), "looking for nodes");
  return numbered(all);
}

void larger_of_all(void* in, void* in_out, int* n, MPI_Datatype*) {
  const double* const a = static_cast<const double*>(in);
  double* const b = static_cast<double*>(in_out);
  for (int k = 0; k < *n; ++k) b[k] = larger(a[k], b[k]);
}

/// MPI's own maximum says nothing of NaN.
class LargestOperation {
 public:
  LargestOperation() { check_mpi(MPI_Op_create(larger_of_all, 1, &op_), "preparing a reduction"); }
  LargestOperation(const LargestOperation&) = delete;
  LargestOperation& operator=(const LargestOperation&) = delete;
  ~LargestOperation() { MPI_Op_free(&op_); }
  MPI_Op get() const { return op_; }

 private:
  MPI_Op op_ = MPI_OP_NULL;
};

class MpiSegment final : public SharedSegment {
 public:
  MpiSegment(MPI_Comm node, std::size_t bytes) {
    int ranks = 0;
    MPI_Comm_size(node, &ranks);
    MPI_Info info;
    MPI_Info_create(&info);
    MPI_Info_set(info, "alloc_shared_noncontig", "true");  // every part on pages of its own, near its rank
    void* mine = nullptr;
    const int result = MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes), 1, info, node, &mine, &window_);
    MPI_Info_free(&info);
    check_mpi(result, "allocating shared memory");
    check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "opening shared memory");
    std::vector<std::uint64_t> length(static_cast<std::size_t>(ranks));  // MPI only knows them in whole pages
    const std::uint64_t my_length = bytes;
    check_mpi(MPI_Allgather(&my_length, 1, MPI_UINT64_T, length.data(), 1, MPI_UINT64_T, node),
              "looking at shared memory");
    for (int r = 0; r < ranks; ++r) {
      MPI_Aint pages = 0;
      int unit = 1;
      void* base = nullptr;
      check_mpi(MPI_Win_shared_query(window_, r, &pages, &unit, &base), "looking at shared memory");
      parts_.emplace_back(static_cast<std::byte*>(base), length[static_cast<std::size_t>(r)]);
    }
    if (bytes > 0) std::memset(mine, 0, bytes);
  }
  MpiSegment(const MpiSegment&) = delete;
  MpiSegment& operator=(const MpiSegment&) = delete;
  ~MpiSegment() override {
    if (!may_wait_for_others()) return;
    MPI_Win_unlock_all(window_);
    MPI_Win_free(&window_);
  }
  View<std::byte> part(int rank_in_node) override {
    check_rank(rank_in_node, static_cast<int>(parts_.size()));
    return parts_[static_cast<std::size_t>(rank_in_node)];
  }

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  std::vector<View<std::byte>> parts_;  ///< (ranks of the node)
};

class MpiTransport final : public Transport {
 public:
  /// Collective. \param machine_of  (ranks) what really shares memory
  MpiTransport(MPI_Comm comm, std::vector<int> node_of, std::vector<int> machine_of,
               std::size_t longest_piece)
      : comm_(comm), node_of_(std::move(node_of)), machine_of_(std::move(machine_of)), piece_(longest_piece) {
    MPI_Comm_rank(comm, &rank_);
  }
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(node_of_.size()); }
  const std::vector<int>& node_of() const override { return node_of_; }
  std::string name() const override { return fmt::format("mpi ({})", ranks_and_nodes(node_of_)); }
  bool reads_device_memory() const override { return gpu_aware(); }

  Request post_send(int to, int tag, View<const std::byte> bytes) override {
    check_rank(to, size());
    check_tag(tag);
    count(to, bytes.size());
    if (to != rank_) return keep({send_pieces(to, tag, bytes), to, tag, false, bytes.size()});
    own_mail_.send(tag, bytes);
    return k_sent;
  }

  Request post_receive(int from, int tag, View<std::byte> bytes) override {
    check_rank(from, size());
    check_tag(tag);
    if (from != rank_) return keep({receive_pieces(from, tag, bytes), from, tag, true, bytes.size()});
    from_self_[next_] = own_mail_.post_receive(tag, bytes);
    return next_++;
  }

  void wait(Request request) override {
    if (request == k_sent) return;
    if (from_self_.contains(request)) return receive_from_self(request);
    Pending pending = std::move(pending_.at(request));
    pending_.erase(request);
    std::size_t received = 0;
    for (MPI_Request& piece : pending.pieces) {
      MPI_Status status;
      const int result = MPI_Wait(&piece, &status);
      check_mpi(result, pending.receives ? "receiving a message" : "sending a message");
      if (!pending.receives) continue;
      int n = 0;
      MPI_Get_count(&status, MPI_BYTE, &n);
      received += static_cast<std::size_t>(n);
    }
    if (pending.receives) check_length(received, pending.bytes, pending.peer, rank_, pending.tag);
  }

  // Integers are the same in every order.
  void all_reduce_sum(View<std::int64_t> values) override {
    for_chunks(values, [&](std::int64_t* data, int n) {
      check_mpi(MPI_Allreduce(MPI_IN_PLACE, data, n, MPI_UINT64_T, MPI_SUM, comm_.get()), "summing");
    });
  }

  // MPI promises the same sum on all ranks to nobody. A few numbers are gathered and summed in rank order, as
  // by the in-process transport; many are summed on rank 0, whose result all take.
  void all_reduce_sum(View<double> values) override {
    constexpr std::size_t few = 256, not_too_many = std::size_t(1) << 16;
    if (values.size() <= few && values.size() * node_of_.size() <= not_too_many)
      return sum_in_rank_order(values);
    for_chunks(values, [&](double* data, int n) {
      const void* const from = rank_ == 0 ? MPI_IN_PLACE : data;
      check_mpi(MPI_Reduce(from, data, n, MPI_DOUBLE, MPI_SUM, 0, comm_.get()), "summing");
      check_mpi(MPI_Bcast(data, n, MPI_DOUBLE, 0, comm_.get()), "summing");
    });
  }

  void all_reduce_max(View<double> values) override {
    for_chunks(values, [&](double* data, int n) {
      check_mpi(MPI_Allreduce(MPI_IN_PLACE, data, n, MPI_DOUBLE, largest_.get(), comm_.get()), "comparing");
    });
  }

  void broadcast(int root, View<std::byte> bytes) override {
    check_rank(root, size());
    for_chunks(bytes, [&](std::byte* data, int n) {
      check_mpi(MPI_Bcast(data, n, MPI_BYTE, root, comm_.get()), "broadcasting");
    });
  }

  std::vector<Parcel> exchange(std::vector<Parcel> outgoing) override;

  void barrier() override { check_mpi(MPI_Barrier(comm_.get()), "waiting for all ranks"); }

  std::unique_ptr<Transport> split(int color) override;

  std::unique_ptr<SharedSegment> share(std::size_t bytes) override {
    check_machines();
    auto segment = std::make_unique<MpiSegment>(node(), bytes);
    node_barrier();
    return segment;
  }

  // Plain loads and stores reach the other ranks of a machine once they are ordered before and after the
  // meeting.
  void node_barrier() override {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    check_mpi(MPI_Barrier(node()), "waiting for the ranks of the node");
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

 private:
  static constexpr Request k_sent = -1;
  struct Pending {
    std::vector<MPI_Request> pieces;
    int peer, tag;
    bool receives;
    std::size_t bytes;
  };

  static void check_tag(int tag) {
    require_run(tag >= 0 && tag < k_exchange_tag, "tag {} is outside 0 … {}", tag, k_exchange_tag - 1);
  }

  // All ranks look at all nodes, so that all refuse.
  void check_machines() const {
    std::map<int, int> machine;  // of a node
    for (std::size_t r = 0; r < node_of_.size(); ++r)
      require(machine.try_emplace(node_of_[r], machine_of_[r]).first->second == machine_of_[r],
              "the ranks of simulated node {} run on different machines (they cannot share memory); give a "
              "number "
              "of ranks per node that divides each machine's",
              node_of_[r]);
  }

  Request keep(Pending pending) {
    pending_.emplace(next_, std::move(pending));
    return next_++;
  }

  // Not through MPI: Open MPI 4 cuts a message from the own rank that is too long and says nothing.
  void receive_from_self(Request request) {
    const auto receive = from_self_.at(request);
    from_self_.erase(request);
    own_mail_.wait(receive, rank_);
  }

  /// Calls `act(data, n)` for consecutive parts that an int can count; at least once, for all ranks meet
  /// there.
  template <class T, class Act>
  void for_chunks(View<T> values, Act act) {
    std::size_t done = 0;
    do {
      const std::size_t n = std::min(values.size() - done, k_chunk);
      act(values.data() + done, static_cast<int>(n));
      done += n;
    } while (done < values.size());
  }

  /// Both sides cut a message at the same places; an empty one is one empty piece.
  template <class T, class Post>
  std::vector<MPI_Request> post_pieces(View<T> bytes, Post post) {
    std::vector<MPI_Request> requests;
    std::size_t done = 0;
    do {
      const std::size_t n = std::min(bytes.size() - done, piece_);
      check_mpi(post(bytes.data() + done, static_cast<int>(n), &requests.emplace_back()),
                "posting a message");
      done += n;
    } while (done < bytes.size());
    return requests;
  }
  std::vector<MPI_Request> send_pieces(int to, int tag, View<const std::byte> bytes) {
    return post_pieces(bytes, [&](const std::byte* data, int n, MPI_Request* request) {
      return MPI_Isend(data, n, MPI_BYTE, to, tag, comm_.get(), request);
    });
  }
  std::vector<MPI_Request> receive_pieces(int from, int tag, View<std::byte> bytes) {
    return post_pieces(bytes, [&](std::byte* data, int n, MPI_Request* request) {
      return MPI_Irecv(data, n, MPI_BYTE, from, tag, comm_.get(), request);
    });
  }

  void sum_in_rank_order(View<double> values) {
    const auto n = values.size();
    std::vector<double> all(n * node_of_.size());
    check_mpi(MPI_Allgather(values.data(), static_cast<int>(n), MPI_DOUBLE, all.data(), static_cast<int>(n),
                            MPI_DOUBLE, comm_.get()),
              "summing");
    for (std::size_t k = 0; k < n; ++k) {
      values[k] = all[k];
      for (std::size_t r = 1; r < node_of_.size(); ++r) values[k] = plus(values[k], all[r * n + k]);
    }
  }

  /// Collective over the node the first time: its ranks' communicator.
  MPI_Comm node();

  Communicator comm_;
  const std::vector<int> node_of_, machine_of_;  ///< (ranks)
  const std::size_t piece_;
  LargestOperation largest_;
  std::unique_ptr<Communicator> node_;
  int rank_ = 0;
  std::map<Request, Pending> pending_;
  OwnMail own_mail_;
  std::map<Request, OwnMail::Receive> from_self_;
  Request next_ = 0;
};

// Nobody outside the node need be here (as MPI_Comm_split would want).
MPI_Comm MpiTransport::node() {
  if (node_) return node_->get();
  std::vector<int> ranks;
  for (int r = 0; r < size(); ++r)
    if (node_of_[static_cast<std::size_t>(r)] == node_of_[static_cast<std::size_t>(rank_)])
      ranks.push_back(r);
  MPI_Group all, mine;
  MPI_Comm_group(comm_.get(), &all);
  MPI_Group_incl(all, static_cast<int>(ranks.size()), ranks.data(), &mine);
  MPI_Comm comm;
  const int result = MPI_Comm_create_group(comm_.get(), mine, k_exchange_tag, &comm);
  MPI_Group_free(&mine);
  MPI_Group_free(&all);
  check_mpi(result, "making a communicator for the node");
  node_ = std::make_unique<Communicator>(comm);
  return node_->get();
}

std::unique_ptr<Transport> MpiTransport::split(int color) {
  std::vector<int> colors(node_of_.size()), nodes, machines;
  check_mpi(MPI_Allgather(&color, 1, MPI_INT, colors.data(), 1, MPI_INT, comm_.get()), "splitting");
  for (std::size_t r = 0; r < colors.size(); ++r) {
    if (colors[r] != color) continue;
    nodes.push_back(node_of_[r]);
    machines.push_back(machine_of_[r]);
  }
  // MPI wants colors from 0.
  const int place = numbered(colors)[static_cast<std::size_t>(rank_)];
  return std::make_unique<MpiTransport>(part_of(comm_.get(), place), numbered(nodes), std::move(machines),
                                        piece_);
}

// Sizes first, then the parcels; an absent one is not an empty one.
std::vector<Parcel> MpiTransport::exchange(std::vector<Parcel> outgoing) {
  std::vector<std::int64_t> out_size(node_of_.size(), -1), in_size(node_of_.size());
  for (const Parcel& parcel : outgoing) {
    check_rank(parcel.rank, size());
    out_size[static_cast<std::size_t>(parcel.rank)] = static_cast<std::int64_t>(parcel.bytes.size());
  }
  check_mpi(MPI_Alltoall(out_size.data(), 1, MPI_INT64_T, in_size.data(), 1, MPI_INT64_T, comm_.get()),
            "exchanging sizes");
  std::vector<Parcel> incoming;
  for (int r = 0; r < size(); ++r)
    if (in_size[static_cast<std::size_t>(r)] >= 0) incoming.push_back({r, {}});
  std::vector<MPI_Request> requests;
  const auto add = [&](const std::vector<MPI_Request>& more) {
    requests.insert(requests.end(), more.begin(), more.end());
  };
  for (Parcel& parcel : incoming) {
    if (parcel.rank == rank_) continue;
    parcel.bytes.resize(static_cast<std::size_t>(in_size[static_cast<std::size_t>(parcel.rank)]));
    add(receive_pieces(parcel.rank, k_exchange_tag, parcel.bytes));
  }
  for (Parcel& parcel : outgoing) {
    if (parcel.rank != rank_) {
      add(send_pieces(parcel.rank, k_exchange_tag, parcel.bytes));
      continue;
    }
    const auto mine = [&](const Parcel& p) { return p.rank == rank_; };
    std::find_if(incoming.begin(), incoming.end(), mine)->bytes = std::move(parcel.bytes);
  }
  check_mpi(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
            "exchanging parcels");
  return incoming;
}

}  // namespace

std::unique_ptr<Transport> make_mpi_transport(int ranks_per_node, std::size_t longest_piece) {
  const MPI_Comm comm = copy_of_world();
  std::vector<int> machines = machines_of(comm);
  std::vector<int> nodes =
      ranks_per_node > 0 ? nodes_in_order(static_cast<int>(machines.size()), ranks_per_node) : machines;
  return std::make_unique<MpiTransport>(comm, std::move(nodes), std::move(machines), longest_piece);
}

}  // namespace nanoday
