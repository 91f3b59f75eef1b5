#include "tubing/sim/detail/free_revisions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "tubing/channel/base/prng.h"

using namespace tubing;
using sim::detail::Demand;
using sim::detail::FreeRevisions;
using sim::detail::Overfull;

namespace {

constexpr std::uint64_t kLast = 8;

// By trying every revision for each demand.
bool can_share(const std::vector<Demand>& demands, std::set<std::uint64_t>& taken,
               std::size_t next = 0, std::uint64_t before = 0) {
  if (next == demands.size()) return true;
  const Demand& demand = demands[next];
  const bool chained = next > 0 && demands[next - 1].gap == demand.gap;
  const std::uint64_t above = std::max(demand.above, chained ? before : 0);
  for (std::uint64_t revision = above + 1; revision <= demand.last; ++revision) {
    if (!taken.insert(revision).second) continue;
    if (can_share(demands, taken, next + 1, revision)) return true;
    taken.erase(revision);
  }
  return false;
}

std::vector<Demand> draw_demands(Prng& prng) {
  std::vector<Demand> demands(1 + prng.below(6));
  std::uint32_t gap = 0;
  const bool alone = prng.chance(1, 2);
  for (std::size_t i = 0; i < demands.size(); ++i) {
    if (alone || prng.chance(2, 3)) ++gap;
    const std::uint64_t above = prng.below(kLast);
    demands[i] = {.at = i,
                  .above = above,
                  .last = above + 1 + prng.below(std::min<std::uint64_t>(kLast - above, 4)),
                  .gap = gap};
  }
  return demands;
}

std::set<std::uint64_t> draw_claimed(Prng& prng) {
  std::set<std::uint64_t> claimed;
  for (std::uint64_t i = prng.below(5); i > 0; --i) claimed.insert(1 + prng.below(kLast));
  return claimed;
}

}  // namespace

TEST_CASE("free revisions are shared where there is a way, and told are just those too many") {
  int overfull = 0;
  for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    const std::set<std::uint64_t> claimed = draw_claimed(prng);
    const std::vector<Demand> demands = draw_demands(prng);
    const FreeRevisions free({claimed.begin(), claimed.end()});
    const std::optional<Overfull> wrong = free.share(demands);
    std::set<std::uint64_t> taken = claimed;
    REQUIRE(!wrong == can_share(demands, taken));
    if (!wrong) continue;
    ++overfull;
    // By themselves they are too many already, and with any of them gone they are not.
    const auto is_free = [&](std::uint64_t revision) { return !claimed.contains(revision); };
    std::uint64_t room = 0;
    for (std::uint64_t r = wrong->above + 1; r <= wrong->last; ++r) room += is_free(r) ? 1 : 0;
    CHECK(wrong->room == room);
    CHECK(wrong->demands.size() == room + 1);
    CHECK(std::set(wrong->demands.begin(), wrong->demands.end()).size() == room + 1);
    for (const std::size_t demand : wrong->demands) {
      const bool alone = std::ranges::count(demands, demands[demand].gap, &Demand::gap) == 1;
      if (!alone) continue;
      CHECK(demands[demand].above >= wrong->above);
      CHECK(demands[demand].last <= wrong->last);
    }
  }
  CHECK(overfull > 1'000);
  CHECK(overfull < 3'000);
}

TEST_CASE("the next and the previous free revision pass over those that are claimed") {
  const FreeRevisions free({7, 1, 2, 5, 6, UINT64_MAX - 1, UINT64_MAX});
  for (const auto& [from, next, previous] :
       {std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>{0, 3, 0},
        {1, 3, 0},
        {2, 3, 0},
        {3, 3, 3},
        {5, 8, 4},
        {6, 8, 4},
        {7, 8, 4},
        {9, 9, 9},
        {UINT64_MAX - 1, 0, UINT64_MAX - 2},
        {UINT64_MAX, 0, UINT64_MAX - 2}}) {
    CAPTURE(from);
    CHECK(free.next(from).value_or(0) == next);
    CHECK(free.previous(from).value_or(0) == previous);
  }
  CHECK(free.count(0, 7) == 2);
  CHECK(free.count(4, 8) == 1);
  CHECK(free.count(3, 4) == 1);
  CHECK(free.count(8, 8) == 0);
  CHECK(free.count(9, 8) == 0);
}
