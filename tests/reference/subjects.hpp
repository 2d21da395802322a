// Who is tested: machines with the table kinds that differ on them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "machines.hpp"
#include "reference/models.hpp"
#include "reference/plans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace nanoday::reference {

/// A machine evaluating a model through one kind of table. The oracle evaluates the net whatever the plan.
struct Subject {
  std::string machine;
  TableKind table;
  std::string model;
};

inline void PrintTo(const Subject& subject, std::ostream* out) {
  *out << subject.machine << ' ' << table_name(subject.table) << ' ' << subject.model;
}

inline std::vector<Subject> subjects(const std::vector<std::string>& models) {
  std::vector<Subject> all;
  for (const std::string& model : models) {
    all.push_back({"oracle", TableKind::net, model});
    for (const TableKind table : {TableKind::net, TableKind::quintic, TableKind::lowrank})
      all.push_back({"cpu", table, model});
  }
  return all;
}

inline std::string test_name(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return text;
}

/// A test over subjects: machine and plan at hand.
class SubjectTest : public testing::TestWithParam<Subject> {
 protected:
  std::unique_ptr<Backend> backend = make_backend({.device = GetParam().machine, .threads = 2});
  std::shared_ptr<const Model> model = model_named(GetParam().model);
  std::shared_ptr<const InferencePlan> plan = plan_of(model, GetParam().table);
};

inline std::string subject_name(const testing::TestParamInfo<Subject>& info) {
  return test_name(info.param.machine + "_" + table_name(info.param.table) + "_" + info.param.model);
}

}  // namespace nanoday::reference
