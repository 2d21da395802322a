// One model over all local atoms: chunk by chunk through descriptor, fitting net and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "cuda/descriptor.hpp"
#include "cuda/fitting.hpp"
#include "cuda/primitives.hpp"
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
  GradientOutput gradient;  ///< used when fitting.want_gradient
  /// Set: halt when the exact plan's rows did not suffice; trouble when a pair force did not fit, or a
  /// neighbor lay outside a table that no net continues. Null: nobody looks.
  Signals* signals = nullptr;
  StageClock* clock = nullptr;  ///< null: nothing is timed
};

/// As the backend interface says it.
EvaluationCounts as_counts(const PassCounts& seen);

/// One prepared model of either precision.
class NetEngine {
 public:
  virtual ~NetEngine() = default;
  virtual const InferencePlan& plan() const = 0;
  /// Deals the atoms out to tiles. Call when their number or order has changed; never part of a graph.
  /// \param type (nlocal) device memory
  virtual void deal(Stream& stream, const std::int32_t* type, std::int64_t nlocal) = 0;
  /// Queues the evaluation; may be part of a graph. No atoms: nothing is queued.
  virtual void run(Stream& stream, const EngineTask& task) = 0;
  /// True when a run with fitting.keep can be followed by one with fitting.resume: all atoms fit one chunk.
  virtual bool keeps_forward() const = 0;
  /// What has been met since reset_counts().
  virtual PassCounts read_counts(Stream& stream) const = 0;
  virtual void reset_counts(Stream& stream) = 0;
  /// Makes room for `rows` atoms of one type that the exact plan takes over, per chunk. deal() must follow.
  virtual void make_room(std::int64_t rows) = 0;
  virtual std::int64_t room() const = 0;
};

/// \param chunk_rows atoms per chunk
std::unique_ptr<NetEngine> make_engine(Stream& stream, std::shared_ptr<const InferencePlan> plan,
                                       std::int64_t chunk_rows = k_chunk_rows);

/// Evaluates one plan. Results are added to (forces, virials) or written (energies, dipoles, for atoms whose
/// type has an output).
template <class Real>
class ModelEngine final : public NetEngine {
 public:
  ModelEngine(Stream& stream, std::shared_ptr<const InferencePlan> plan, Products products,
              std::int64_t chunk_rows);

  const InferencePlan& plan() const override { return model_.plan(); }
  void deal(Stream& stream, const std::int32_t* type, std::int64_t nlocal) override;
  void run(Stream& stream, const EngineTask& task) override;
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
  void scatter(Stream& stream, std::int64_t nlocal);
  void size_buffers(Stream& stream);
  void clear_exact(Stream& stream);
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
  std::vector<std::int64_t> first_row_;  ///< (chunks · nt) row of the first atom of a type in atom_
  std::vector<std::int64_t> begin_;      ///< (chunks · nt + 1) where (chunk, type) begins among sorted atoms
  std::int64_t a_size_ = 0, rotated_size_ = 0, features_size_ = 0, rows_ = 0;  ///< of the largest chunk

  Scratch scratch_;
  DeviceArray<std::uint64_t> key_, key_sorted_;
  DeviceArray<std::int32_t> order_, order_sorted_;
  DeviceArray<std::int64_t> begin_device_, first_row_device_;
  DeviceArray<Tile> tiles_;
  DeviceArray<std::int32_t> atom_;
  DeviceArray<std::uint8_t> taken_;
  DeviceArray<std::int32_t> exact_count_;        ///< (chunks, nt)
  DeviceArray<std::int64_t> chunk_rows_device_;  ///< (chunks, 2) first exact row and how many
  DeviceArray<PassCounts> counts_;
  DeviceArray<Real> a_, rotated_, features_, layers_, vectors_;
};

}  // namespace nanoday::NANODAY_GPU
