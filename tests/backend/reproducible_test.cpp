// Fixed-point sums: any number of threads gives the same bits.
// SPDX-License-Identifier: Apache-2.0
#include "reference/compare.hpp"
#include "reference/evaluate.hpp"
#include "reference/instruction_sets.hpp"
#include "reference/subjects.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace nanoday {
namespace {

using namespace reference;

struct Mode {
  TableKind table;
  Precision precision;
};

class Reproducible : public testing::TestWithParam<std::tuple<cpu::InstructionSet, Mode>> {
 protected:
  Result on_threads(int threads, bool reproducible) {
    const auto& [set, mode] = GetParam();
    const auto backend = machine_with(set, threads, reproducible);
    const auto plan = plan_of(model_named("water_sea.pb"), mode.table, mode.precision);
    return evaluate(*backend, plan, system);
  }
  System system = random_system(Box::orthorhombic(9.2, 8.7, 9.9), 60, 1.1, 21);
};

std::string name_of(const testing::TestParamInfo<std::tuple<cpu::InstructionSet, Mode>>& info) {
  const auto& [set, mode] = info.param;
  return std::string(set.name) + "_" + table_name(mode.table) +
         (mode.precision == Precision::mixed ? "_mixed" : "_double");
}

INSTANTIATE_TEST_SUITE_P(modes, Reproducible,
                         testing::Combine(testing::ValuesIn(best_instruction_sets()),
                                          testing::Values(Mode{TableKind::net, Precision::fp64},
                                                          Mode{TableKind::quintic, Precision::fp64},
                                                          Mode{TableKind::lowrank, Precision::fp64},
                                                          Mode{TableKind::lowrank, Precision::mixed})),
                         name_of);

TEST_P(Reproducible, one_two_three_and_seven_threads_agree_bit_for_bit) {
  const Result one = on_threads(1, true);
  for (const int threads : {2, 3, 7}) {
    SCOPED_TRACE(threads);
    const Result many = on_threads(threads, true);
    EXPECT_EQ(many.energy, one.energy);
    EXPECT_EQ(flat(many.virial), flat(one.virial));
    EXPECT_EQ(flat(many.force), flat(one.force));
    EXPECT_EQ(many.atom_energy, one.atom_energy);
    EXPECT_EQ(flat(many.atom_virial), flat(one.atom_virial));
  }
}

TEST_P(Reproducible, the_fixed_point_result_is_the_ordinary_one_within_its_resolution) {
  const Result fixed_point = on_threads(2, true), ordinary = on_threads(2, false);
  // 2^-44 eV/Å per share, some hundred shares; mixed precision sums floats in another order as well.
  const double limit =
      std::get<Mode>(GetParam()).precision == Precision::mixed ? tolerance::k_mixed_force : 1e-11;
  EXPECT_LT(max_error(flat(fixed_point.force), flat(ordinary.force)), limit);
  EXPECT_LT(relative_error({fixed_point.energy}, {ordinary.energy}), limit);
}

}  // namespace
}  // namespace nanoday
