// Checkpoints: what goes in comes out, damage is noticed, the one before stays.
// SPDX-License-Identifier: Apache-2.0
#include "md/checkpoint.hpp"

#include "core/error.hpp"
#include "io/text.hpp"
#include "md/bytes.hpp"
#include "md/checkpoint_bytes.hpp"
#include "md/toy_backend.hpp"
#include "md/velocities.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

const std::unique_ptr<Transport> k_self = make_self_transport();

DplrState sample_dplr() {
  DplrState state;
  state.choice.basis.push_back({1, {0.5, 0.25}, {4, 3}});
  state.choice.centres.push_back({0, {}, {}, {0}, {0}, 1, 1, {-1}, {0.5}});
  state.solver.method = LongRangeMethod::direct;
  state.solver.beta = 0.4;
  state.solver.coulomb = 14.4;
  state.solver.influence_4pi = 12.5;
  state.solver.spacing = 1.5;
  state.solver.mesh = {20, 24, 30};
  state.solver.order = 7;
  state.solver.differentiation = Differentiation::ad;
  state.solver.fft = FftMethod::reduction;
  state.solver.fft_scale = 2e6;
  state.solver.threads = 3;
  state.solver.relative_cost = 0.375;
  state.field = {{0.1, -0.2, 0.3}, 0.02};
  state.mesh = {1e-4, 2e-5, 3e-5};
  return state;
}

Checkpoint sample(int natoms = 7) {
  Checkpoint c;
  c.model_hash = "0123456789abcdef";
  c.table = TableKind::lowrank;
  c.precision = Precision::mixed;
  c.choice.basis.push_back({2, {1, 2, 3, 4}, {5, 6}});
  c.choice.centres.push_back({1, {0.5}, {2}, {0, 1}, {1, 1}, 1, 2, {0.25}, {0.75}});
  c.dplr = sample_dplr();
  c.thermostat = ThermostatKind::nose_hoover;
  c.dt = 0.0005;
  c.seed = 42;
  c.step = 1234;
  c.thermostat_state = {1, -2, 3, 0.1, 0.2, 0.3};
  c.box = Box::triclinic({Vec3{10, 0, 0}, Vec3{1, 9, 0}, Vec3{0.5, 0.25, 8}});
  c.atoms = toy::atoms(natoms, 8);
  draw_velocities(c.atoms, 300, 1);
  c.atoms.image[2] = {1, -2, 3};
  c.input_id = {7, 6, 5, 4, 3, 2, 1};
  for (int i = 0; i < natoms; ++i) c.msd_origin.push_back({0.1 * i, 0.2, 0.3});
  c.list.reference = c.atoms.position;
  c.list.age = 11;
  c.list.halo = HaloRoute::staged;
  c.statistics.add({0, 0, 300, -1, 1, 0, 0.5, 100});
  c.analysis = std::string("bytes\0of g(r)", 13);
  c.files = {{"thermo.csv", 1000}, {"msd.csv", 7}};
  return c;
}

class CheckpointFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (fs::temp_directory_path() / fmt::format("nanoday-checkpoint-{}", getpid())).string();
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string current() const { return folder_ + "/" + k_checkpoint_file; }

  std::string folder_;
};

TEST(Checkpoint, comes_back_bit_for_bit) {
  const Checkpoint before = sample();
  const std::string bytes = encode(before);
  const Checkpoint after = decode(bytes, "test");
  EXPECT_EQ(encode(after), bytes);
  EXPECT_EQ(after.step, 1234);
  EXPECT_EQ(after.choice.centres.at(0).pair_q, before.choice.centres[0].pair_q);
  EXPECT_EQ(after.atoms.nlocal, 7);
  EXPECT_EQ(after.atoms.velocity[3].z, before.atoms.velocity[3].z);
  EXPECT_EQ(after.atoms.image[2], before.atoms.image[2]);
  EXPECT_EQ(after.atoms.mass, before.atoms.mass);
  EXPECT_EQ(after.box.cell[1].x, 1);
  EXPECT_TRUE(after.box.periodic[2]);
  EXPECT_EQ(after.list.age, 11);
  EXPECT_EQ(after.list.halo, HaloRoute::staged);
  EXPECT_EQ(after.list.reference.at(6).z, before.list.reference[6].z);
  EXPECT_EQ(after.input_id, before.input_id);
  EXPECT_EQ(after.msd_origin.at(6).x, before.msd_origin[6].x);
  EXPECT_EQ(after.analysis, before.analysis);
  EXPECT_EQ(after.files.at(0).length, 1000u);
  EXPECT_EQ(after.statistics.mean_temperature, 300);
}

TEST(Checkpoint, the_long_range_part_comes_back_bit_for_bit) {
  const DplrState before = sample_dplr();
  const DplrState after = decode(encode(sample()), "test").dplr;
  const LongRangePlan &a = after.solver, &b = before.solver;
  EXPECT_EQ(after.choice.basis.at(0).project, before.choice.basis[0].project);
  EXPECT_EQ(after.choice.centres.at(0).bias_shift, before.choice.centres[0].bias_shift);
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(std::tie(a.beta, a.coulomb, a.influence_4pi, a.spacing),
            std::tie(b.beta, b.coulomb, b.influence_4pi, b.spacing));
  EXPECT_EQ(std::tie(a.mesh, a.order, a.differentiation), std::tie(b.mesh, b.order, b.differentiation));
  EXPECT_EQ(std::tie(a.threads, a.relative_cost), std::tie(b.threads, b.relative_cost));
  EXPECT_EQ(std::tie(a.fft, a.fft_scale), std::tie(b.fft, b.fft_scale));
  EXPECT_EQ(norm(after.field.amplitude - before.field.amplitude), 0);
  EXPECT_EQ(after.field.period, 0.02);
  EXPECT_EQ(std::tie(after.mesh.estimate, after.mesh.rms, after.mesh.max),
            std::tie(before.mesh.estimate, before.mesh.rms, before.mesh.max));
}

TEST(Checkpoint, ghosts_are_left_out) {
  Checkpoint c = sample();
  const std::string bytes = encode(c);
  c.atoms.position.push_back({1, 2, 3, 0});
  c.atoms.type.push_back(0);
  c.atoms.id.push_back(0);
  c.atoms.nghost = 1;
  EXPECT_EQ(encode(c), bytes);
}

TEST(Checkpoint, any_flipped_bit_is_noticed) {
  const std::string bytes = encode(sample());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += 3) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THROW(decode(damaged, "test"), InputError) << "bit " << bit;
  }
}

TEST(Checkpoint, any_truncation_is_noticed) {
  const std::string bytes = encode(sample());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW(decode(std::string_view(bytes).substr(0, length), "test"), InputError) << length;
  EXPECT_THROW(decode(bytes + "x", "test"), InputError);
}

/// Decodes, and says whether it was refused; anything but InputError fails the test.
bool refused(const std::string& bytes) {
  try {
    decode(bytes, "test");
  } catch (const InputError&) {
    return true;
  }
  return false;
}

TEST(Checkpoint, damage_of_the_header_that_keeps_the_checksum_never_crashes) {
  const std::string bytes = encode(sample());
  constexpr std::size_t k_before = 20;  // magic, version, length
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data() + 12, sizeof length);
  const std::string header = bytes.substr(k_before, length);
  const std::string block = bytes.substr(k_before + length + 8);
  int n_refused = 0;
  for (std::size_t at = 0; at < header.size(); ++at) {
    std::string damaged = header;
    damaged[at] = static_cast<char>(0xff);
    ByteWriter sum;
    sum.put(fnv1a(damaged));
    n_refused += refused(bytes.substr(0, k_before) + damaged + sum.bytes() + block);
  }
  EXPECT_GT(n_refused, 50);  // every broken length or count; broken numbers pass
}

TEST(Checkpoint, damage_of_a_block_that_keeps_the_checksum_never_crashes) {
  const Checkpoint c = sample();
  const std::string block = encode_block(c);
  int n_refused = 0;
  for (std::size_t at = 0; at < block.size(); ++at) {
    std::string damaged = block;
    damaged[at] = static_cast<char>(0xff);
    n_refused += refused(encode_header(c, {0}, {entry_of(damaged, c.atoms.nlocal)}) + damaged);
  }
  EXPECT_EQ(n_refused, 8 * 4);  // the four counts; broken numbers pass
}

TEST(Checkpoint, a_table_of_blocks_that_cannot_be_is_refused) {
  const Checkpoint c = sample();
  const std::string block = encode_block(c);
  const BlockEntry good = entry_of(block, 7);
  const auto with = [&](std::vector<std::int32_t> node_of, std::vector<BlockEntry> blocks) {
    return refused(encode_header(c, node_of, blocks) + block);
  };
  EXPECT_FALSE(with({0}, {good}));
  EXPECT_TRUE(with({}, {}));
  EXPECT_TRUE(with({0, 0}, {good}));
  EXPECT_TRUE(with({0, 0}, {good, good}));
  EXPECT_TRUE(with({0}, {{-1, good.length, good.checksum}}));
  EXPECT_TRUE(with({0}, {{8, good.length, good.checksum}}));
  EXPECT_TRUE(with({0}, {{std::int64_t{1} << 62, good.length, good.checksum}}));
  EXPECT_TRUE(with({0}, {{7, ~std::uint64_t{0}, good.checksum}}));
  EXPECT_TRUE(with({0, 0}, {{7, good.length + 8, good.checksum}, {0, ~std::uint64_t{0} - 7, 0}}));
}

TEST_F(CheckpointFolder, a_block_that_says_more_atoms_than_it_has_asks_for_no_memory) {
  const Checkpoint c = sample();
  std::string block = encode_block(c);
  for (int k = 0; k < 6; ++k) block[static_cast<std::size_t>(k)] = static_cast<char>(0xff);  // 2^48 atoms
  std::ofstream(current(), std::ios::binary) << encode_header(c, {0}, {entry_of(block, 7)}) << block;
  EXPECT_THROW(find_checkpoint(folder_, *k_self), InputError);
}

TEST_F(CheckpointFolder, keeps_the_one_before) {
  Checkpoint c = sample();
  write_checkpoint(folder_, c, *k_self);
  c.step = 2000;
  write_checkpoint(folder_, c, *k_self);
  EXPECT_EQ(find_checkpoint(folder_, *k_self).checkpoint.step, 2000);
  EXPECT_EQ(find_checkpoint(folder_, *k_self).warning, "");
  std::ofstream(current(), std::ios::trunc) << "damaged";
  const FoundCheckpoint found = find_checkpoint(folder_, *k_self);
  EXPECT_EQ(found.checkpoint.step, 1234);
  EXPECT_NE(found.warning.find(k_previous_checkpoint_file), std::string::npos);
  fs::remove(current());
  EXPECT_EQ(find_checkpoint(folder_, *k_self).checkpoint.step, 1234);
}

TEST_F(CheckpointFolder, is_an_error_in_a_folder_without_a_run) {
  EXPECT_THROW(find_checkpoint(folder_, *k_self), InputError);
  EXPECT_THROW(find_checkpoint(folder_ + "/absent", *k_self), InputError);
}

TEST_F(CheckpointFolder, stays_whole_when_the_disk_is_full) {
  const Checkpoint c = sample();
  write_checkpoint(folder_, c, *k_self);
  Checkpoint larger = sample(7);
  larger.step = 9999;
  larger.analysis.assign(100000, 'x');
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{20000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(write_checkpoint(folder_, larger, *k_self), RunError);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(find_checkpoint(folder_, *k_self).checkpoint.step, 1234);
  EXPECT_EQ(find_checkpoint(folder_, *k_self).warning, "");
}

}  // namespace
}  // namespace nanoday
