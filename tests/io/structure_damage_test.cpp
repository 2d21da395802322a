// Damaged structure files either still parse or are refused with a sentence; nothing else happens.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/npy.hpp"
#include "io/readers.hpp"
#include "io/sample_files.hpp"
#include "io/structure_file.hpp"
#include "io/virtual_atoms.hpp"
#include "model/model_file.hpp"
#include "reference/paths.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nanoday {
namespace {

using test::TemporaryFolder;

/// One to four damages: bits flipped, bytes replaced, pieces removed or doubled.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t k = below(4) + 1; k > 0 && !bytes.empty(); --k) {
    const std::size_t at = below(bytes.size());
    switch (below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = " -+.0987654321eE#\n\t\"="[below(21)];
        break;
      case 2:
        bytes.erase(at, below(20) + 1);
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(20) + 1));
        break;
      case 4:
        bytes.resize(at);
        break;
    }
  }
  return bytes;
}

struct Outcome {
  int read = 0, refused = 0;
};

/// Reads every truncation (if `cut`) and `count` random damages of a text; any exception but InputError fails
/// the test.
template <class Read>
Outcome try_damages(const std::string& good, int count, Read&& read, bool cut = true) {
  std::mt19937 random(20240229);
  Outcome outcome;
  const auto attempt = [&](const std::string& bytes) {
    try {
      read(bytes);
      ++outcome.read;
    } catch (const InputError& error) {
      ++outcome.refused;
      EXPECT_GT(std::string(error.what()).size(), 20u);
    }
  };
  for (std::size_t length = 0; cut && length < good.size(); ++length) attempt(good.substr(0, length));
  for (int i = 0; i < count; ++i) attempt(damaged(good, random));
  return outcome;
}

/// Through the whole chain: reading, checking, binding, replicating.
Outcome damage_text(const std::string& name, const std::string& good) {
  return try_damages(good, 6000, [&](const std::string& bytes) {
    for (const Structure& frame : read_structure_text({name, bytes, {}})) {
      const auto types = bind_types(frame, {"H", "O", "Na", "Cl"});
      EXPECT_EQ(types.size(), frame.natoms());
      if (!frame.box.periodic[0]) continue;
      EXPECT_EQ(replicate(frame, 2, 1, 1).natoms(), 2 * frame.natoms());
    }
  });
}

TEST(StructureDamage, lammps_data_is_read_or_refused) {
  const Outcome outcome = damage_text("a.data", test::k_lammps_full);
  EXPECT_GT(outcome.refused, 1000);
  EXPECT_GT(outcome.read, 100);
}

TEST(StructureDamage, extxyz_is_read_or_refused) {
  const Outcome outcome = damage_text("a.xyz", test::k_extxyz);
  EXPECT_GT(outcome.refused, 1000);
  EXPECT_GT(outcome.read, 100);
}

TEST(StructureDamage, poscar_is_read_or_refused) {
  const Outcome outcome = damage_text("POSCAR", test::k_poscar);
  EXPECT_GT(outcome.refused, 1000);
  EXPECT_GT(outcome.read, 100);
}

TEST(StructureDamage, dplr_data_is_fitted_to_the_model_or_refused) {
  const Model dplr = read_model(reference::data_path("water_dplr.pb"));
  const Model plain = read_model(reference::data_path("water_sea.pb"));
  for (const std::vector<std::string>& names : {std::vector<std::string>{}, {"O", "H"}, {"O", "H", "X"}}) {
    int with_virtual = 0;
    const Outcome outcome = try_damages(test::k_lammps_dplr, 6000, [&](const std::string& bytes) {
      for (const Structure& frame : read_structure_text({"a.data", bytes, names})) {
        const Structure real = prepare_for(dplr, frame);
        EXPECT_TRUE(real.bond.empty() && real.real_names.empty());
        EXPECT_EQ(bind_types(real, dplr.type_map).size(), real.natoms());
        EXPECT_TRUE(real.velocity.empty() || real.velocity.size() == real.natoms());
        EXPECT_EQ(real.id.size(), real.natoms());
        EXPECT_EQ(replicate(real, 1, 2, 1).natoms(), 2 * real.natoms());
        if (real.natoms() == frame.natoms()) continue;
        ++with_virtual;
        EXPECT_THROW(bind_types(prepare_for(plain, frame), plain.type_map), InputError);
      }
    });
    EXPECT_GT(outcome.refused, 1000);
    EXPECT_GT(outcome.read, 100);
    EXPECT_GT(with_virtual, 100);
  }
}

TEST(StructureDamage, files_without_a_telling_name_are_read_or_refused) {
  for (const std::string& good : {test::k_lammps_full, test::k_extxyz, test::k_poscar})
    EXPECT_GT(damage_text("unknown", good).refused, 1000);
}

TEST(StructureDamage, npy_is_read_or_refused) {
  const std::string good = test::npy_bytes(std::vector<double>{1, 2, 3, 4, 5, 6}, "2, 3");
  const Outcome outcome = try_damages(good, 10000, [&](const std::string& bytes) {
    const NpyArray array = parse_npy("a.npy", bytes);
    std::size_t count = 1;
    for (const std::size_t n : array.shape) count *= n;
    EXPECT_EQ(array.data.size(), count);
  });
  EXPECT_GT(outcome.refused, 1000);
  EXPECT_GT(outcome.read, 100);
}

TEST(StructureDamage, deepmd_folders_are_read_or_refused) {
  for (const char* part :
       {"system/type.raw", "system/type_map.raw", "system/set.000/coord.npy", "system/set.001/box.npy"}) {
    const TemporaryFolder folder;
    const std::string path = test::write_deepmd_folder(folder, "system");
    const auto read = [&](const std::string& bytes) {
      folder.write(part, bytes);
      for (const Structure& frame : read_structures(path)) bind_types(frame, {"H", "O"});
    };
    const Outcome outcome =
        try_damages(folder.read(part), 120, read, false);  // few: each goes through the disk
    EXPECT_GT(outcome.refused, 20) << part;
  }
}

}  // namespace
}  // namespace nanoday
