// Models over all local atoms: chunk by chunk through descriptor, fitting net and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "cuda/descriptor.hpp"
#include "cuda/fitting.hpp"
#include "cuda/neighbor_list.hpp"
#include "cuda/stage_clock.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Rows per chunk: enough to fill the device, and what a chunk keeps per row (some 20 KiB in double) stays
/// small beside the atoms themselves.
inline constexpr std::int64_t k_chunk_rows = 32768;

/// What one evaluation reads and writes; device memory, (nlocal) or (nall) rows.
struct EngineTask {
  const Vec4* position = nullptr;  ///< (nall)
  ListView list;
  FittingOutput fitting;
  GradientOutput gradient;      ///< used when fitting.want_gradient
  Signals* signals = nullptr;   ///< see PassReport
  bool cleared = false;         ///< exact_rows() have been cleared
  bool again = false;           ///< repeats a pass over these atoms that has been counted
  StageClock* clock = nullptr;  ///< null: nothing is timed
};

/// As the backend interface says it.
EvaluationCounts as_counts(const PassCounts& seen);

/// Prepared models of either precision.
class NetEngine {
 public:
  virtual ~NetEngine() = default;
  virtual const InferencePlan& plan() const = 0;  ///< the first one
  /// Deals the atoms out to tiles. Call when their number or order has changed; never part of a graph.
  /// \param work for the time of the call  \param centre (nlocal) model·nt + type; device memory
  virtual void deal(Stream& stream, RebuildWork& work, const std::int32_t* centre, std::int64_t nlocal) = 0;
  /// Queues the evaluation; may be part of a graph. No atoms: nothing is queued.
  virtual void run(Stream& stream, const EngineTask& task) = 0;
  /// What must be cleared before a run that does not resume one; empty before deal().
  virtual ExactRows exact_rows() const = 0;
  /// (k_counts_kinds) device memory.
  virtual PassCounts* counts() const = 0;
  /// True when a run with fitting.keep can be followed by one with fitting.resume: all atoms fit one chunk.
  virtual bool keeps_forward() const = 0;
  /// What has been met since reset_counts().
  virtual PassCounts read_counts(Stream& stream) const = 0;
  virtual void reset_counts(Stream& stream) = 0;
  /// Makes room for `rows` atoms of one centre that the exact plan takes over, per chunk. deal() must follow.
  virtual void make_room(std::int64_t rows) = 0;
  virtual std::int64_t room() const = 0;
};

/// centre[i] = model[replica[i]]·n_types + type[i] for local atoms.
/// \param model (replicas) which of the plans a replica has; device memory
void number_centres(Stream& stream, const DeviceAtoms& atoms, int n_types, const std::int32_t* model,
                    std::int32_t* centre);

/// \param chunk_rows atoms per chunk
std::unique_ptr<NetEngine> make_engine(Stream& stream, Plans plans, std::int64_t chunk_rows = k_chunk_rows);

/// Evaluates plans, each for its atoms. Results are added to (forces, virials) or written (energies, dipoles,
/// for atoms whose type has an output).
template <class Real>
class ModelEngine final : public NetEngine {
 public:
  ModelEngine(Stream& stream, Plans plans, Products products, std::int64_t chunk_rows);

  const InferencePlan& plan() const override { return model_.plan(); }
  void deal(Stream& stream, RebuildWork& work, const std::int32_t* centre, std::int64_t nlocal) override;
  void run(Stream& stream, const EngineTask& task) override;
  ExactRows exact_rows() const override;
  PassCounts* counts() const override { return counts_.data(); }
  bool keeps_forward() const override { return chunks_.size() == 1; }
  PassCounts read_counts(Stream& stream) const override;
  void reset_counts(Stream& stream) override;
  void make_room(std::int64_t rows) override;
  std::int64_t room() const override { return exact_tiles_per_group_ * k_tile_rows; }

 private:
  struct Chunk {
    std::int64_t first_row = 0;    ///< in atom_
    std::int64_t first_taken = 0;  ///< in taken_
    std::int64_t first_tile = 0;   ///< in tiles_
    std::int32_t n_tiles = 0;
  };
  std::int32_t exact_tiles() const;
  void lay_out(const std::vector<std::int64_t>& begin);
  void scatter(Stream& stream, const RebuildWork& work, std::int64_t nlocal);
  void size_buffers(Stream& stream);
  void run_chunk(Stream& stream, const EngineTask& task, const TileView& tiles);
  TileView tiles_of(std::size_t chunk) const;
  PassBuffers<Real> buffers() const;

  PackedModel<Real> model_;
  Products products_;
  std::int64_t chunk_rows_;
  std::int64_t nlocal_ = 0;
  std::int64_t exact_tiles_per_group_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<Tile> host_tiles_;
  std::vector<std::int64_t> first_row_;  ///< (chunks · centres) row of the first atom of a centre in atom_
  std::vector<std::int64_t> begin_;      ///< (chunks · centres + 1) where they begin among sorted atoms
  std::int64_t a_size_ = 0, rotated_size_ = 0, features_size_ = 0, rows_ = 0;  ///< of the largest chunk

  DeviceArray<std::int64_t> begin_device_, first_row_device_;
  DeviceArray<Tile> tiles_;
  DeviceArray<std::int32_t> atom_;
  DeviceArray<std::uint8_t> taken_;
  DeviceArray<std::int32_t> exact_count_;        ///< (chunks, centres)
  DeviceArray<std::int64_t> chunk_rows_device_;  ///< (chunks, 2) first exact row and how many
  DeviceArray<PassCounts> counts_;               ///< (k_counts_kinds)
  DeviceArray<Real> a_, rotated_, features_, layers_, vectors_;
};

}  // namespace nanoday::NANODAY_GPU
