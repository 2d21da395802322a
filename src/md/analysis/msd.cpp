// Mean squared displacement per element.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/msd.hpp"

#include "core/error.hpp"
#include "md/bytes.hpp"

namespace nanoday {
namespace {

/// Unwrapped positions relative to their center of mass, in input order.
std::vector<Vec3> centered_positions(const Box& box, const Atoms& atoms) {
  const auto natoms = static_cast<std::size_t>(atoms.nlocal);
  std::vector<Vec3> position(natoms);
  std::vector<double> mass(natoms);
  for (std::size_t i = 0; i < natoms; ++i) {
    const auto row = static_cast<std::size_t>(atoms.id[i]);
    const auto& n = atoms.image[i];
    position[row] = xyz(atoms.position[i]) + box.translation(n[0], n[1], n[2]);
    mass[row] = atoms.mass[i];
  }
  Vec3 center;
  double total = 0;
  for (std::size_t i = 0; i < natoms; ++i) {
    center = center + mass[i] * position[i];
    total += mass[i];
  }
  center = (1 / total) * center;
  for (Vec3& x : position) x = x - center;
  return position;
}

}  // namespace

Msd::Msd(const std::vector<std::string>& element_names, const Atoms& atoms)
    : natoms_(static_cast<std::size_t>(atoms.nlocal)), column_(element_names.size(), 0) {
  std::vector<double> count(element_names.size(), 0);
  for (std::size_t i = 0; i < natoms_; ++i) count[static_cast<std::size_t>(atoms.type[i])] += 1;
  for (std::size_t t = 0; t < count.size(); ++t) {
    if (count[t] == 0) continue;
    column_[t] = elements_.size();
    elements_.push_back(element_names[t]);
    n_atoms_.push_back(count[t]);
  }
}

MsdRow Msd::sample(double time, const Box& box, const Atoms& atoms) {
  const std::vector<Vec3> now = centered_positions(box, atoms);
  if (reference_.empty()) reference_ = now;
  std::vector<std::size_t> column(natoms_);
  for (std::size_t i = 0; i < natoms_; ++i)
    column[static_cast<std::size_t>(atoms.id[i])] = column_[static_cast<std::size_t>(atoms.type[i])];
  MsdRow row{time, std::vector<double>(elements_.size(), 0)};
  for (std::size_t i = 0; i < natoms_; ++i) {
    const Vec3 d = now[i] - reference_[i];
    row.msd[column[i]] += dot(d, d);
  }
  for (std::size_t k = 0; k < row.msd.size(); ++k) row.msd[k] /= n_atoms_[k];
  return row;
}

std::string Msd::save() const {
  ByteWriter out;
  out.put_array(reference_);
  return out.bytes();
}

void Msd::restore(std::string_view state) {
  ByteReader in(state, "the checkpoint's mean squared displacement");
  auto reference = in.get_array<std::vector<Vec3>>();
  require(in.at_end() && (reference.empty() || reference.size() == natoms_),
          "the checkpoint's mean squared displacement is of {} atoms instead of {}; use the folder's own "
          "checkpoint",
          reference.size(), natoms_);
  reference_ = std::move(reference);
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
