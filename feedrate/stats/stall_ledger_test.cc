#include "feedrate/stats/stall_ledger.h"

#include <gtest/gtest.h>

#include <set>

#include "feedrate/base/random.h"

namespace feedrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant ms(std::int64_t value) { return Instant(milliseconds(value)); }
Duration own(const StallLedger& ledger, StallCause cause, std::uint32_t rank = 0) {
  return ledger.ranks().at(rank).own[static_cast<std::size_t>(cause)];
}
Duration carried(const StallLedger& ledger, StallCause cause, std::uint32_t rank = 0) {
  return ledger.ranks().at(rank).carried[static_cast<std::size_t>(cause)];
}

TEST(StallLedger, AStepIsItsStallsAndItsCompute) {
  StallLedger ledger(ms(0));
  ledger.add_step(0, ms(10), ms(30), ms(50),
                  {{ms(5), StallCause::kDecode},  // before the step: does not count
                   {ms(15), StallCause::kOpen, 7, 4096},
                   {ms(25), StallCause::kFirstByte, 7, 4096}});
  EXPECT_EQ(own(ledger, StallCause::kOpen), milliseconds(5));
  EXPECT_EQ(own(ledger, StallCause::kFirstByte), milliseconds(10));
  EXPECT_EQ(own(ledger, StallCause::kQueue), milliseconds(5));  // what no piece explains
  EXPECT_EQ(own(ledger, StallCause::kDecode), Duration(0));
  EXPECT_EQ(ledger.ranks().at(0).compute, milliseconds(20));
  EXPECT_EQ(ledger.ranks().at(0).total(), milliseconds(40));
  EXPECT_EQ(ledger.files().at(7)[static_cast<std::size_t>(StallCause::kOpen)], milliseconds(5));
  EXPECT_EQ(ledger.sizes().at(12)[static_cast<std::size_t>(StallCause::kFirstByte)],
            milliseconds(10));
}

TEST(StallLedger, PiecesThatEndAfterTheStartAreCut) {
  StallLedger ledger(ms(0));
  ledger.add_step(0, ms(0), ms(10), ms(20),
                  {{ms(4), StallCause::kOpen}, {ms(99), StallCause::kTransfer}});
  EXPECT_EQ(own(ledger, StallCause::kTransfer), milliseconds(6));
  EXPECT_EQ(ledger.ranks().at(0).total(), milliseconds(20));
}

TEST(StallLedger, WaitingForARankThatStalledCarriesItsCauses) {
  StallLedger ledger(ms(0));
  // The slowest started at 30, after 20 ms of opening and 10 ms of transfer; both compute 50 ms.
  const std::vector<StallPiece> slowest{{ms(20), StallCause::kOpen},
                                        {ms(30), StallCause::kTransfer}};
  ledger.add_step(0, ms(0), ms(5), ms(55), {{ms(5), StallCause::kQueue}});
  ledger.add_straggler_wait(0, ms(55), ms(80), milliseconds(50), ms(30), milliseconds(50), slowest);
  EXPECT_EQ(carried(ledger, StallCause::kOpen), milliseconds(15));  // its last 25 ms
  EXPECT_EQ(carried(ledger, StallCause::kTransfer), milliseconds(10));
  EXPECT_EQ(ledger.ranks().at(0).total(), milliseconds(80));
}

TEST(StallLedger, WaitingForARankWithLongerStepsIsCompute) {
  StallLedger ledger(ms(0));
  ledger.add_step(0, ms(0), ms(5), ms(55), {});
  ledger.add_straggler_wait(0, ms(55), ms(90), milliseconds(50), ms(10), milliseconds(80),
                            {{ms(10), StallCause::kFirstByte}});
  EXPECT_EQ(carried(ledger, StallCause::kCompute), milliseconds(30));
  EXPECT_EQ(carried(ledger, StallCause::kFirstByte), milliseconds(5));
  ledger.add_straggler_wait(0, ms(90), ms(90), milliseconds(1), ms(0), milliseconds(1), {});
  EXPECT_EQ(ledger.ranks().at(0).total(), milliseconds(90));
}

// Whatever the pieces are, nothing is lost and nothing counts twice.
TEST(StallLedger, ConservesEveryNanosecond) {
  RandomStream random(3, SeedPurpose::kLatency, 0);
  for (int round = 0; round < 2000; ++round) {
    StallLedger ledger{Instant{}};
    const auto draw = [&](std::uint64_t limit) {
      return Duration(static_cast<Duration::rep>(random.below(limit)));
    };
    const auto pieces = [&](Instant from) {
      std::vector<StallPiece> list;
      for (std::uint64_t i = random.below(6); i > 0; --i) {
        from += draw(1000);
        list.push_back({from, kAllStallCauses[random.below(kStallCauses)], random.below(3), 512});
      }
      return list;
    };
    const Instant begin{draw(1000)};
    const Instant start = begin + draw(3000);
    const Duration compute = draw(1000);
    const Instant slowest_start = begin + draw(3000);
    const Duration slowest_compute = draw(1000);
    const Instant end = start + compute;
    const Instant group_end = std::max(end, slowest_start + slowest_compute);
    ledger.add_step(1, begin, start, end, pieces(begin));
    ledger.add_straggler_wait(1, end, group_end, compute, slowest_start, slowest_compute,
                              pieces(begin));
    ASSERT_EQ(ledger.ranks().at(1).total(), group_end - begin);
    for (const Duration time : ledger.ranks().at(1).own) ASSERT_GE(time, Duration(0));
    for (const Duration time : ledger.ranks().at(1).carried) ASSERT_GE(time, Duration(0));
  }
}

TEST(StallLedger, MergesRanksFilesAndSeries) {
  StallLedger ledger(ms(0)), other(ms(0));
  ledger.add_step(0, ms(0), ms(1500), ms(2000), {{ms(1500), StallCause::kOpen, 1, 1}});
  other.add_step(1, ms(0), ms(500), ms(2000), {{ms(500), StallCause::kOpen, 1, 1}});
  ledger.merge(other);
  EXPECT_EQ(ledger.ranks().size(), 2U);
  EXPECT_EQ(ledger.files().at(1)[static_cast<std::size_t>(StallCause::kOpen)], seconds(2));
  EXPECT_DOUBLE_EQ(ledger.series(StallCause::kOpen).values().at(0), 1.5);
  EXPECT_DOUBLE_EQ(ledger.series(StallCause::kOpen).values().at(1), 0.5);
}

TEST(StallLedger, OfVeryManyFilesTheWorstAreKept) {
  StallLedger ledger(ms(0));
  Instant now = ms(0);
  for (std::uint64_t file = 0; file < 20'000; ++file) {
    const Instant start = now + (file == 77 ? milliseconds(900) : milliseconds(1));
    ledger.add_step(0, now, start, start, {{start, StallCause::kFirstByte, file, 1}});
    now = start;
  }
  EXPECT_LE(ledger.files().size(), 4096U);
  EXPECT_EQ(ledger.files().at(77)[static_cast<std::size_t>(StallCause::kFirstByte)],
            milliseconds(900));
}

TEST(StallLedger, EveryCauseHasItsName) {
  std::set<std::string_view> names;
  for (const StallCause cause : kAllStallCauses) names.insert(to_string(cause));
  EXPECT_EQ(names.size(), kStallCauses);
}

}  // namespace
}  // namespace feedrate
