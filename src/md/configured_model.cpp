// The model a run or command is told to use, with the Wannier net and charges it is given.
// SPDX-License-Identifier: Apache-2.0
#include "md/configured_model.hpp"

#include "core/error.hpp"
#include "model/model_file.hpp"

namespace nanoday {
namespace {

bool charges_given(const DipoleChargeSettings& s) {
  return !s.ion_charge.empty() || !s.wannier_charge.empty() || s.beta || s.spacing;
}

Model with_settings(Model model, const RunConfig& config) {
  if (!config.wannier.empty()) {
    const Model wannier = read_model(config.wannier);
    const std::string hash = model.hash + "+" + wannier.hash;
    Model both = with_wannier(std::move(model), wannier, config.charges);
    both.hash = hash;
    return both;
  }
  if (!charges_given(config.charges) || !model.dipole_charge) return model;
  const Model wannier = *model.dipole_charge->wannier;
  return with_wannier(std::move(model), wannier, config.charges);
}

}  // namespace

std::shared_ptr<const Model> read_configured_model(const RunConfig& config, const std::string& path) {
  auto model = std::make_shared<const Model>(with_settings(read_model(path), config));
  require(model->dipole_charge || config.long_range_given.empty(),
          "--{} is given but {} has no long-range part (only DPLR models have one); remove it, or add "
          "--wannier FILE",
          config.long_range_given, path);
  return model;
}

PlanOptions plan_options(const RunConfig& config) {
  PlanOptions options;
  options.table = config.table;
  options.precision = config.precision;
  options.force_error = config.force_error;
  options.long_range = config.long_range;
  return options;
}

}  // namespace nanoday
