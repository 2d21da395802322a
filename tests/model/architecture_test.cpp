// Which differences between models keep them from running together, and what is said about them.
// SPDX-License-Identifier: Apache-2.0
#include "model/architecture.hpp"

#include "core/error.hpp"
#include "reference/model_variants.hpp"
#include "reference/models.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace nanoday {
namespace {

using namespace reference;

/// What is said about a model and a copy of it that was changed.
std::string difference_after(const char* name, const std::function<void(Model&)>& change) {
  const Model original = make_named_model(name);
  Model changed = original;
  changed.source = "changed.pb";
  change(changed);
  try {
    require_same_architecture(original, changed);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Architecture, is_the_same_whatever_the_weights_statistics_and_charges_are) {
  for (const char* name : {"toy", "toy_two_sided", "toy_dipole", "water_sea_compressed.pb"})
    EXPECT_EQ(difference_after(name,
                               [](Model& m) {
                                 m = *with_weights_times(m, 1.5);
                                 m.avg[0] = {0.1, 0, 0, 0};
                                 m.hash = "another";
                               }),
              "");
  EXPECT_EQ(difference_after("water_dplr.pb", [](Model& m) { m.dipole_charge->ion_charge = {5, 1.5}; }), "");
}

TEST(Architecture, tells_both_models_and_what_differs) {
  struct Case {
    const char* model;
    std::function<void(Model&)> change;
    const char* said;
  };
  const auto wannier_of = [](Model& m, const std::function<void(Model&)>& change) {
    Model wannier = *m.dipole_charge->wannier;
    change(wannier);
    m.dipole_charge->wannier = std::make_shared<const Model>(wannier);
  };
  const Case cases[] = {
      {"toy",
       [](Model& m) {
         m.type_map = {"O", "X"};
       },
       "elements"},
      {"toy", [](Model& m) { m.kind = ModelKind::dipole; }, "kind (energy and dipole)"},
      {"toy", [](Model& m) { m.compressed = true; }, "form (nets and tables)"},
      {"toy", [](Model& m) { m.rcut *= 1.5; }, "cutoff"},
      {"toy", [](Model& m) { m.rcut_smth *= 0.5; }, "start of the switch"},
      {"toy", [](Model& m) { m.switch_width *= 0.5; }, "width of the switch"},
      {"toy", [](Model& m) { m.sel[1] += 1; }, "sel ("},
      {"toy", [](Model& m) { m.normaliser += 1; }, "sum of sel"},
      {"toy", [](Model& m) { m.m2 -= 1; }, "embedding ("},
      {"toy_two_sided", [](Model& m) { m.excluded[0] = 0; }, "excluded pairs"},
      {"toy", [](Model& m) { m.embedding[0].layers[0].n_out += 1; }, "embedding layers"},
      {"toy", [](Model& m) { m.fitting[0].layers.pop_back(); }, "fitting layers"},
      {"toy", [](Model& m) { m.selected[0] = 0; }, "types with an output"},
      {"water_dplr.pb", [](Model& m) { m.dipole_charge.reset(); }, "long-range part (one and none)"},
      {"water_dplr.pb", [&](Model& m) { wannier_of(m, [](Model& w) { w.rcut -= 1; }); }, "cutoff"},
  };
  for (const Case& c : cases) {
    const std::string said = difference_after(c.model, c.change);
    EXPECT_NE(said.find(std::string("differ in ") + c.said), std::string::npos) << c.said << ": " << said;
  }
  EXPECT_NE(difference_after("toy", cases[3].change).find("changed.pb"), std::string::npos);
}

TEST(Architecture, of_files_with_other_nets_is_not_the_same) {
  const Model water = make_named_model("water_sea.pb");
  for (const char* name : {"water_sea_dt.pb", "water_sea_two.pb", "water_sea_compressed.pb", "water_dw.pb"})
    EXPECT_THROW(require_same_architecture(water, make_named_model(name)), InputError) << name;
}

}  // namespace
}  // namespace nanoday
