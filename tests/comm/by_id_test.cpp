// Rows find the ranks that serve their ids, errors are everybody's, and exact sums do not know who holds
// what. SPDX-License-Identifier: Apache-2.0
#include "by_id.hpp"

#include "agreement.hpp"
#include "core/error.hpp"
#include "exact_reduce.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <random>

namespace nanoday {
namespace {

constexpr int k_rank_counts[] = {1, 2, 3, 4, 5, 7, 8};

struct Row {
  double x;
  std::int32_t a, b;
};

TEST(IdShares, cover_all_ids_once_in_order_and_evenly) {
  for (const std::int64_t natoms : {0, 1, 3, 7, 8, 100, 1001})
    for (const int n : k_rank_counts) {
      const IdShares shares(natoms, n);
      EXPECT_EQ(shares.first(0), 0);
      EXPECT_EQ(shares.first(n), natoms);
      for (int r = 0; r < n; ++r) {
        EXPECT_LE(std::abs(shares.count(r) - natoms / n), 1);
        for (std::int64_t id = shares.first(r); id < shares.first(r + 1); ++id)
          EXPECT_EQ(shares.owner(id), r);
      }
    }
}

TEST(IdShares, count_beyond_what_32_or_64_bit_products_hold) {
  const std::int64_t natoms = 4'000'000'000'000'000;
  const int n = 2'000'000'000;
  const IdShares shares(natoms, n);
  EXPECT_EQ(shares.first(n), natoms);
  EXPECT_EQ(shares.owner(natoms - 1), n - 1);
  EXPECT_EQ(shares.owner(shares.first(1'234'567'890)), 1'234'567'890);
  EXPECT_EQ(shares.owner(shares.first(1'234'567'890) - 1), 1'234'567'889);
}

TEST(RowsById, come_from_anywhere_and_are_ordered) {
  for (const int n : k_rank_counts)
    for (const std::int64_t natoms : {0, 1, 5, 200}) {
      std::vector<int> holder(static_cast<std::size_t>(natoms));
      std::mt19937 random(static_cast<unsigned>(n));
      for (int& h : holder) h = static_cast<int>(random() % static_cast<unsigned>(n));
      run_ranks(n, [&](Transport& transport) {
        std::vector<std::int64_t> id;
        std::vector<Row> rows;
        for (std::int64_t k = natoms - 1; k >= 0; --k) {
          if (holder[static_cast<std::size_t>(k)] != transport.rank()) continue;
          id.push_back(k);
          rows.push_back({0.5 * static_cast<double>(k), static_cast<std::int32_t>(k), -7});
        }
        const IdShares shares(natoms, transport.size());
        const std::vector<Row> mine = rows_by_id(transport, shares, View<const std::int64_t>(id), rows);
        ASSERT_EQ(static_cast<std::int64_t>(mine.size()), shares.count(transport.rank()));
        for (std::size_t k = 0; k < mine.size(); ++k) {
          const std::int64_t expected = shares.first(transport.rank()) + static_cast<std::int64_t>(k);
          EXPECT_EQ(mine[k].a, expected);
          EXPECT_EQ(mine[k].x, 0.5 * static_cast<double>(expected));
        }
      });
    }
}

TEST(RowsById, lost_doubled_and_impossible_atoms_are_errors) {
  const auto deal = [](const std::vector<std::int64_t>& id) {
    run_ranks(2, [&](Transport& transport) {
      const std::vector<std::int64_t> mine = transport.rank() == 1 ? id : std::vector<std::int64_t>{};
      rows_by_id(transport, IdShares(3, 2), View<const std::int64_t>(mine), std::vector<Row>(mine.size()));
    });
  };
  EXPECT_NO_THROW(deal({2, 0, 1}));
  EXPECT_THROW(deal({2, 0}), RunError);
  EXPECT_THROW(deal({2, 0, 2}), RunError);
  EXPECT_THROW(deal({2, 0, 1, 1}), RunError);
  EXPECT_THROW(deal({0, 1, 3}), RunError);
  EXPECT_THROW(deal({0, 1, -1}), RunError);
}

/// What every rank says when `failing` ones throw.
std::vector<std::string> said(int n, const std::function<void(int)>& work) {
  std::vector<std::string> text(static_cast<std::size_t>(n));
  run_ranks(n, [&](Transport& transport) {
    auto& mine = text[static_cast<std::size_t>(transport.rank())];
    try {
      together(transport, [&] { work(transport.rank()); });
    } catch (const InputError& error) {
      mine = std::string("input: ") + error.what();
    } catch (const RunError& error) {
      mine = std::string("run: ") + error.what();
    }
    transport.barrier();  // nobody was left behind
  });
  return text;
}

TEST(Together, all_go_on_or_all_say_what_the_first_one_met) {
  for (const int n : k_rank_counts) {
    EXPECT_EQ(said(n, [](int) {}), std::vector<std::string>(static_cast<std::size_t>(n)));
    const auto last_fails = said(n, [&](int rank) { require_run(rank + 1 < n, "disk full"); });
    EXPECT_EQ(last_fails, std::vector<std::string>(static_cast<std::size_t>(n), "run: disk full"));
    const auto first_fails = said(n, [&](int rank) { require(rank > 0, "bad file"); });
    EXPECT_EQ(first_fails, std::vector<std::string>(static_cast<std::size_t>(n), "input: bad file"));
  }
  const auto two_fail = said(4, [](int rank) { require_run(rank % 2 == 0, "rank {}", rank); });
  EXPECT_EQ(two_fail, (std::vector<std::string>{"run: rank 1", "run: rank 1", "run: rank 1", "run: rank 3"}));
}

TEST(ExactSum, limbs_give_back_any_sum) {
  ExactSum sum;
  for (const double x : {0.0, -1.0, 1e-13, 1e12, -3e12, 5e20, -0.3, -5e20}) {
    sum.add(x);
    EXPECT_EQ(ExactSum::from_limbs(sum.limbs()).value(), sum.value());
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_GE(sum.limbs()[k], 0);
      EXPECT_LT(sum.limbs()[k], std::int64_t{1} << 32);
    }
  }
  EXPECT_NEAR(sum.value(), -2e12 - 1.3, 1e-3);
}

TEST(ExactSum, of_what_is_no_number_is_none_on_any_rank) {
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e30})
    run_ranks(3, [&](Transport& transport) {
      std::vector<ExactSum> sums(2);
      for (ExactSum& sum : sums) sum.add(-4e18);
      if (transport.rank() == 1) sums[0].add(bad);
      all_reduce_sum(transport, View<ExactSum>(sums));
      EXPECT_TRUE(std::isnan(sums[0].value())) << bad;
      EXPECT_EQ(sums[1].value(), -12e18);
      ExactSum more;
      more.add(sums[0]);
      EXPECT_TRUE(std::isnan(more.value()));
    });
}

TEST(ExactSum, over_ranks_has_the_bits_of_one_rank) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal(0, 1);
  std::vector<double> summand;
  for (int k = 0; k < 500; ++k) summand.push_back(std::pow(10, normal(random) * 5) * normal(random));
  ExactSum all;
  for (const double x : summand) all.add(x);
  for (const int n : k_rank_counts)
    run_ranks(n, [&](Transport& transport) {
      std::vector<ExactSum> sums(2);
      for (std::size_t k = static_cast<std::size_t>(transport.rank()); k < summand.size();
           k += std::size_t(n)) {
        sums[0].add(summand[k]);
        sums[1].add(-summand[k]);
      }
      all_reduce_sum(transport, View<ExactSum>(sums));
      EXPECT_EQ(sums[0].limbs(), all.limbs());
      EXPECT_EQ(sums[1].value(), -all.value());
    });
}

}  // namespace
}  // namespace nanoday
