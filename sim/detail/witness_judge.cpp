#include "tubing/sim/detail/witness_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::sim::detail {

Result<Ruling> WitnessJudge::judge() {
  if (Result<> collected = collect(); !collected) return collected.error();
  if (auto wrong = check_claims()) return *std::move(wrong);
  if (auto wrong = check_real_time()) return *std::move(wrong);
  for (const auto& part : source_.parts())
    if (auto wrong = replay(&part)) return *std::move(wrong);
  return share_out();
}

Result<> WitnessJudge::collect() {
  floors_.resize(history_.size());
  for (const auto& [name, operations] : source_.parts())
    for (const std::size_t at : operations) {
      if (history_[at].ending == Ending::unknown) {
        unknown_.push_back(at);
        continue;
      }
      if (!history_[at].revision)
        return at_line(at, Error(Code::invalid_argument, "witness",
                                 "\"rev\" is missing; judge by linearizability what has none"));
      known_.push_back({at, source_.reads(at)});
    }
  return {};
}

std::optional<Ruling> WitnessJudge::check_claims() {
  std::vector<std::size_t> changes;
  for (const Line& line : known_)
    if (!line.reads) changes.push_back(line.at);
  std::ranges::sort(changes, {},
                    [&](std::size_t at) { return std::pair(*history_[at].revision, at); });
  std::vector<std::uint64_t> claimed;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    claimed.push_back(*history_[changes[i]].revision);
    if (claimed.back() == 0)
      return Ruling::illegal("revision 0 is that of the beginning, and no change can have it",
                             {changes[i]});
    if (i > 0 && claimed[i] == claimed[i - 1])
      return Ruling::illegal(fmt::format("two changes took revision {}", claimed[i]),
                             {changes[i - 1], changes[i]});
  }
  free_ = FreeRevisions(std::move(claimed));
  return std::nullopt;
}

namespace {

constexpr std::size_t kNone = ~std::size_t{0};

/// What a client was told at the highest revisions: by operations called before an instant, and by
/// those that took no time in it.
struct HighestOfClient {
  std::size_t before = kNone;
  std::size_t at_once = kNone;
  std::int64_t instant = INT64_MIN;
};

}  // namespace

/// The highest revision of what had returned when an operation was called; of its own client, what
/// returned in that very moment too, where it must have been asked for first.
std::optional<Ruling> WitnessJudge::check_real_time() {
  std::vector<std::size_t> returned;
  std::vector<Line> called = known_;
  returned.reserve(known_.size());
  for (const Line& line : known_) returned.push_back(line.at);
  for (const std::size_t at : unknown_) called.push_back({at, false});
  std::ranges::sort(returned, {},
                    [&](std::size_t at) { return std::pair(history_[at].returned, at); });
  std::ranges::sort(called, {}, [&](const Line& line) {
    const Operation& o = history_[line.at];
    return std::tuple(o.called, o.ending != Ending::unknown, o.returned, line.at);
  });
  std::map<std::uint64_t, HighestOfClient> of_client;
  std::size_t highest = kNone;
  auto next = returned.begin();
  const auto is_higher = [&](std::size_t at, std::size_t than) {
    return than == kNone || history_[at].revision > history_[than].revision;
  };
  for (const Line& line : called) {
    const Operation& operation = history_[line.at];
    for (; next != returned.end() && history_[*next].returned < operation.called; ++next)
      if (is_higher(*next, highest)) highest = *next;
    std::size_t before = highest;
    HighestOfClient& own = of_client[operation.client];
    const auto hold = [&](std::size_t& highest_one, std::size_t at) {
      if (at != kNone && history_[at].returned <= operation.called && is_higher(at, highest_one))
        highest_one = at;
    };
    if (own.instant < operation.called) {
      hold(own.before, std::exchange(own.at_once, kNone));
      own.instant = operation.called;
    }
    hold(before, own.before);
    const bool lasts = operation.revision && operation.called < operation.returned;
    if (lasts) hold(before, own.at_once);
    const std::uint64_t floor = before == kNone ? 0 : *history_[before].revision;
    if (!operation.revision) {
      floors_[line.at] = floor;
      continue;
    }
    if (before != kNone &&
        (line.reads ? *operation.revision < floor : *operation.revision <= floor))
      return Ruling::illegal(
          fmt::format("one operation returned with revision {} before the other was called, which "
                      "{} revision {}",
                      floor, line.reads ? "read at" : "took", *operation.revision),
          {before, line.at});
    if (std::size_t& highest_own = lasts ? own.before : own.at_once;
        is_higher(line.at, highest_own))
      highest_own = line.at;
  }
  return std::nullopt;
}

PartOperations WitnessJudge::operations_of(Name part,
                                           const std::vector<StateSpace::Step>& steps) const {
  PartOperations operations;
  std::map<StateSpace::Step, std::vector<WitnessOperation>> kinds;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t at = part->second[i];
    WitnessOperation operation{at, steps[i], source_.reads(at), source_.settles(at),
                               history_[at].revision.value_or(floors_[at])};
    if (history_[at].ending == Ending::unknown)
      kinds[steps[i]].push_back(operation);
    else
      operations.known.push_back(operation);
  }
  const auto order = [](const WitnessOperation& o) {
    return std::tuple(o.revision, o.reads, o.at);
  };
  std::ranges::sort(operations.known, {}, order);
  for (auto& [step, kind] : kinds) {
    std::ranges::sort(kind, {}, order);
    operations.unknown.push_back(std::move(kind));
  }
  return operations;
}

std::optional<Ruling> WitnessJudge::replay(Name part) {
  std::vector<StateSpace::Step> steps;
  const std::unique_ptr<StateSpace> space = source_.space(part->second, steps);
  const PartOperations operations = operations_of(part, steps);
  WitnessReplay replayed(*space, operations, free_, options_);
  switch (replayed.replay()) {
    case WitnessReplay::End::none: return wrong_reply(replayed, part);
    case WitnessReplay::End::undecided: return undecided(replayed.bound(), part);
    default: break;
  }
  if (!replayed.demands().empty())
    contenders_.push_back({.name = part, .ways = {replayed.demands()}});
  return std::nullopt;
}

/// What it replied, and what had been changed last.
Ruling WitnessJudge::wrong_reply(const WitnessReplay& part, Name name) const {
  const auto& known = part.operations().known;
  const std::size_t failed = part.failed();
  std::vector<std::size_t> shown;
  for (std::size_t i = failed; i-- > 0 && shown.empty();)
    if (!known[i].reads) shown.push_back(known[i].at);
  shown.push_back(known[failed].at);
  std::size_t others = 0;
  for (const auto& kind : part.operations().unknown) others += kind.size();
  return Ruling::illegal(
      fmt::format("replayed in the order of revisions, {} is {} before revision {}: that answer "
                  "cannot be{}",
                  name->first.empty() ? "the whole" : name->first,
                  part.space().told(part.failed_state()), known[failed].revision,
                  others == 0 ? ""
                              : fmt::format(", whatever became of {} operation{} of unknown end",
                                            others, others == 1 ? "" : "s")),
      shown);
}

Ruling WitnessJudge::undecided(std::string_view bound, Name name) const {
  return {.verdict = Verdict::undecided,
          .why = fmt::format("{}: too many {} for the operations of unknown end; raise that limit, "
                             "or judge a shorter history",
                             name->first.empty() ? "the whole" : name->first, bound)};
}

namespace {

/// Of all contenders as they are chosen; gaps of different parts do not have the same number.
template <class Contenders>
std::vector<Demand> chosen_demands(const Contenders& contenders, std::vector<std::size_t>& owners) {
  std::vector<Demand> all;
  owners.clear();
  std::uint32_t gap = 0;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const std::vector<Demand>& demands = contenders[i].ways[contenders[i].chosen];
    for (std::size_t k = 0; k < demands.size(); ++k) {
      if (k == 0 || demands[k].gap != demands[k - 1].gap) ++gap;
      all.push_back(demands[k]);
      all.back().gap = gap;
      owners.push_back(i);
    }
  }
  return all;
}

}  // namespace

/// The parts met one another in nothing but the free revisions.
Ruling WitnessJudge::share_out() {
  std::vector<std::size_t> owners;
  const std::vector<Demand> demands = chosen_demands(contenders_, owners);
  return free_.share(demands) ? contest() : Ruling();
}

/// The first choice does not do. Goes through the ways of the parts that were in each other's way,
/// and of those that come to be: when no choice among them does, the rest cannot help.
Ruling WitnessJudge::contest() {
  std::vector<std::size_t> among;
  std::vector<std::size_t> owners;
  for (std::size_t tried = 0; tried < options_.alternatives_max; ++tried) {
    const std::vector<Demand> demands = chosen_demands(contenders_, owners);
    std::optional<Overfull> wrong = free_.share(demands);
    if (!wrong) return {};
    bool grew = false;
    for (std::size_t& demand : wrong->demands) {
      const std::size_t owner = owners[demand];
      if (!contenders_[owner].complete) {
        among.push_back(owner);
        const std::string_view bound = find_ways(contenders_[owner]);
        if (!contenders_[owner].complete) return undecided(bound, contenders_[owner].name);
        grew = true;
      }
      demand = demands[demand].at;
    }
    if (grew) continue;  // The choices behind these fail, whatever those that join them choose.
    std::size_t turn = 0;
    for (; turn < among.size(); ++turn) {
      Contender& contender = contenders_[among[turn]];
      if (++contender.chosen < contender.ways.size()) break;
      contender.chosen = 0;
    }
    if (turn == among.size()) return overfull(*wrong);
  }
  return undecided("choices (alternatives_max)", contenders_[among.front()].name);
}

std::string_view WitnessJudge::find_ways(Contender& contender) {
  std::vector<StateSpace::Step> steps;
  const std::unique_ptr<StateSpace> space = source_.space(contender.name->second, steps);
  const PartOperations operations = operations_of(contender.name, steps);
  WitnessReplay part(*space, operations, free_, options_);
  contender.ways.clear();
  contender.chosen = 0;
  contender.complete = part.find_ways(contender.ways) == WitnessReplay::End::found;
  return part.bound();
}

Ruling WitnessJudge::overfull(const Overfull& wrong) const {
  std::vector<std::size_t> shown = wrong.demands;
  std::ranges::sort(shown);
  return Ruling::illegal(
      fmt::format("answers show that these {} of unknown end took effect above revision {} and not "
                  "above {}, where only {} {} left by the changes that are known",
                  shown.size() == 1 ? "one operation" : fmt::format("{} operations", shown.size()),
                  wrong.above, wrong.last, wrong.room, wrong.room == 1 ? "is" : "are"),
      shown);
}

}  // namespace tubing::sim::detail
