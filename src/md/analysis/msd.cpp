// Mean squared displacement per element.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/msd.hpp"

#include "core/error.hpp"
#include "exact_reduce.hpp"
#include "md/analysis/count_types.hpp"

#include <numeric>

namespace nanoday {
namespace {

struct MovedAtom {
  Vec3 position;  ///< unwrapped [Å]
  std::int64_t type;
};

/// Center of mass of the atoms of all ranks, unwrapped.
Vec3 center_of_mass(Transport& ranks, const std::vector<MovedAtom>& local, const Array<double>& mass) {
  std::array<ExactSum, 4> sum;  // Σ m x, Σ m y, Σ m z, Σ m
  for (std::size_t i = 0; i < local.size(); ++i) {
    const Vec3 x = mass[i] * local[i].position;
    sum[0].add(x.x);
    sum[1].add(x.y);
    sum[2].add(x.z);
    sum[3].add(mass[i]);
  }
  all_reduce_sum(ranks, View<ExactSum>(sum.data(), sum.size()));
  return (1 / sum[3].value()) * Vec3{sum[0].value(), sum[1].value(), sum[2].value()};
}

std::int64_t total_of(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

}  // namespace

Msd::Msd(Transport& ranks, const std::vector<std::string>& element_names, const Atoms& atoms)
    : Msd(ranks, element_names, count_types(ranks, atoms, element_names.size())) {}

Msd::Msd(Transport& ranks, const std::vector<std::string>& element_names,
         const std::vector<std::int64_t>& n_atoms_of_type)
    : ranks_(ranks), shares_(total_of(n_atoms_of_type), ranks.size()), column_(element_names.size(), 0) {
  for (std::size_t t = 0; t < n_atoms_of_type.size(); ++t) {
    if (n_atoms_of_type[t] == 0) continue;
    column_[t] = elements_.size();
    elements_.push_back(element_names[t]);
    n_atoms_.push_back(static_cast<double>(n_atoms_of_type[t]));
  }
}

MsdRow Msd::sample(double time, const Box& box, const Atoms& atoms) {
  std::vector<MovedAtom> local(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t i = 0; i < local.size(); ++i) {
    const auto& n = atoms.image[i];
    local[i] = {xyz(atoms.position[i]) + box.translation(n[0], n[1], n[2]), atoms.type[i]};
  }
  const Vec3 center = center_of_mass(ranks_, local, atoms.mass);
  const View<const std::int64_t> id(atoms.id.data(), local.size());
  const std::vector<MovedAtom> now = rows_by_id(ranks_, shares_, id, local);
  if (origin_.empty())
    for (const MovedAtom& atom : now) origin_.push_back(atom.position - center);
  std::vector<ExactSum> sum(elements_.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    const Vec3 d = (now[i].position - center) - origin_[i];
    sum[column_[static_cast<std::size_t>(now[i].type)]].add(dot(d, d));
  }
  all_reduce_sum(ranks_, View<ExactSum>(sum));
  MsdRow row{time, {}};
  for (std::size_t k = 0; k < sum.size(); ++k) row.msd.push_back(sum[k].value() / n_atoms_[k]);
  return row;
}

void Msd::restore(std::vector<Vec3> origin) {
  const auto served = static_cast<std::size_t>(shares_.count(ranks_.rank()));
  require(origin.empty() || origin.size() == served,
          "the checkpoint's mean squared displacement is of {} atoms instead of {}; use the folder's own "
          "checkpoint",
          origin.size(), served);
  origin_ = std::move(origin);
}

MsdLog::MsdLog(OutputFile file, const std::vector<std::string>& elements, NumberFormat numbers)
    : file_(std::move(file)), numbers_(numbers) {
  if (file_.length() > 0) return;
  std::string header = "time[ps]";
  for (const std::string& element : elements) header += "," + element + "[A2]";
  file_.write(header + "\n");
}

void MsdLog::write(const MsdRow& row) {
  fmt::memory_buffer line;
  append_number(line, row.time, numbers_);
  for (const double value : row.msd) {
    line.push_back(',');
    append_number(line, value, numbers_);
  }
  line.push_back('\n');
  file_.write({line.data(), line.size()});
}

}  // namespace nanoday
