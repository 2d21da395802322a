// Builds inference plans: makes tables, chooses ranks by measured force error.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/inference_plan.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace nanoday {

/// How the long-range part of a DPLR model is to be evaluated; what is left open is chosen.
struct LongRangeOptions {
  std::optional<LongRangeMethod> method;  ///< none: the faster one, a mesh where its settings are given
  std::array<int, 3> mesh{0, 0, 0};       ///< 0: from mesh_error
  int order = 5;
  std::optional<Differentiation> differentiation;  ///< none: "ik"
  double mesh_error = 1e-5;                        ///< of C/Å² (see choose_mesh)
  bool mesh_error_given = false;                   ///< it or the order was asked for
  bool lammps_constants = false;
  std::optional<int> threads;  ///< beside the nets; 0: none beside; none: measured
  /// Cores of each node beside the nets, dealt to the ranks of the node: threads = cores / node_ranks,
  /// rounded up. Where one rank of the node transforms for all, led_by_one() gives it all of them.
  std::optional<int> cores;
  int node_ranks = 1;            ///< most ranks on a node of this run
  int ranks = 1;                 ///< all ranks of this run: how finely work is divided
  std::optional<FftMethod> fft;  ///< none: the fastest, see forces/fft_choice.hpp
  ElectricField field;
};

struct PlanOptions {
  TableKind table = TableKind::lowrank;
  Precision precision = Precision::fp64;
  double force_error = 1e-6;  ///< [eV/Å] rms bound for lowrank
  double interval = 0.01;     ///< piece width of quintic in normalised s̃ [–]
  LongRangeOptions long_range;
};

/// What users are told who ask for the net of a compressed model.
inline constexpr const char* k_no_net_note =
    "the model is compressed and holds tables instead of nets; its own table is used as it is";

/// `net` and `quintic` plans. Compressed models take their own table as it is, also under `net` (see
/// k_no_net_note): the plan's kind is then `quintic`.
std::shared_ptr<const InferencePlan> make_direct_plan(std::shared_ptr<const Model> model,
                                                      const PlanOptions& options);

/// The model itself, in double: its nets, or the own tables of a compressed model. What errors are measured
/// against.
std::shared_ptr<const InferencePlan> make_exact_plan(std::shared_ptr<const Model> model);

/// Low-rank plan from choices made before (plan_search.hpp makes them; checkpoints keep them).
std::shared_ptr<const InferencePlan> make_lowrank_plan(std::shared_ptr<const Model> model,
                                                       const PlanOptions& options, LowRankChoice choice);

}  // namespace nanoday
