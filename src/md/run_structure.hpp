// What a run starts from: a structure and how often it is repeated.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/structure.hpp"
#include "md/run.hpp"
#include "model/model.hpp"

#include <string>
#include <vector>

namespace nanoday {

/// The system at step 0. Large repeated systems are never held whole: ranks make the atoms they ask for.
class RunStructure {
 public:
  /// Reads config.structure for a model and binds its types. \param notes  gets what is worth saying
  /// Throws InputError on anything wrong.
  RunStructure(const RunConfig& config, const Model& model, std::vector<std::string>& notes);

  const Box& box() const { return box_; }
  std::int64_t natoms() const { return natoms_; }
  bool has_velocities() const { return !cell_.velocity.empty(); }
  /// Atoms with ids first … last − 1.
  Atoms atoms(std::int64_t first, std::int64_t last) const;
  /// The file's own ids of these atoms; none when they are 1 … natoms in order.
  std::vector<std::int64_t> input_ids(std::int64_t first, std::int64_t last) const;

  /// A system to choose a plan on: the whole one, or of a large repeated one fewer copies, at least 20,000
  /// atoms. It depends on the structure only, so that any number of ranks chooses alike.
  struct Sample {
    Box box;
    Atoms atoms;
    std::array<int, 3> times{1, 1, 1};  ///< the whole box is this many times longer along a, b, c
  };
  Sample sample() const;

 private:
  Atoms make(const std::array<int, 3>& copies, std::int64_t first, std::int64_t last) const;

  Structure cell_;  ///< one copy
  std::vector<std::string> type_map_;
  std::array<int, 3> copies_;
  Box box_;
  std::int64_t natoms_ = 0;
};

}  // namespace nanoday
