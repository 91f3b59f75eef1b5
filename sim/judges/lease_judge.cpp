#include "tubing/sim/judges/lease_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {
namespace {

constexpr std::int64_t kNever = Operation::kNever;

/// A line of a resource; `number` is the epoch, or the token.
struct Entry {
  std::size_t at = 0;
  std::uint64_t client = 0;
  std::uint64_t number = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

struct Fence : Entry {
  bool accepted = false;
  bool known = false;
};

struct Resource {
  std::vector<Entry> holds;
  std::vector<Entry> ends;
  std::vector<Fence> fences;
};

struct KeyChange : Entry {
  std::string resource;  ///< Of the lease; empty where the key was deleted.
  std::string value;
  bool known = false;
};

struct KeyRead {
  std::size_t at = 0;
  std::optional<std::string> value;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

struct Key {
  std::vector<KeyChange> changes;
  std::vector<KeyRead> reads;
};

bool called_earlier(const Entry& one, const Entry& other) {
  return std::pair(one.from, one.at) < std::pair(other.from, other.at);
}

std::uint64_t count(OperationReader& in, std::string_view name) {
  const std::int64_t number = in.number(name);
  if (number < 0) in.refuse(fmt::format("\"{}\" is {}, and must not be negative", name, number));
  return static_cast<std::uint64_t>(number);
}

class LeaseJudge {
 public:
  explicit LeaseJudge(const History& history) : history_(history) {}

  std::size_t judged() const { return judged_; }

  Result<Ruling> judge() {
    for (std::size_t at = 0; at < history_.size(); ++at)
      if (Result<> taken = take(at); !taken) return taken.error();
    for (auto& [name, resource] : resources_) {
      std::ranges::sort(resource.holds, called_earlier);
      for (const auto check :
           {&LeaseJudge::check_holders, &LeaseJudge::check_epochs, &LeaseJudge::check_accepted,
            &LeaseJudge::check_refused, &LeaseJudge::check_ends})
        if (auto wrong = (this->*check)(name, resource)) return *std::move(wrong);
    }
    for (auto& [name, key] : keys_) {
      std::ranges::sort(key.changes, called_earlier);
      for (const auto check : {&LeaseJudge::check_gone, &LeaseJudge::check_kept})
        if (auto wrong = (this->*check)(name, key)) return *std::move(wrong);
    }
    return Ruling();
  }

 private:
  using Wrong = std::optional<Ruling>;

  Result<> take(std::size_t at);
  Result<> take_change(std::size_t at, OperationReader& in);
  Result<> take_read(std::size_t at, OperationReader& in);

  Wrong check_holders(const std::string& name, const Resource& resource);
  Wrong check_epochs(const std::string& name, const Resource& resource);
  Wrong check_accepted(const std::string& name, const Resource& resource);
  Wrong check_refused(const std::string& name, const Resource& resource);
  Wrong check_ends(const std::string& name, const Resource& resource);
  Wrong check_gone(const std::string& name, const Key& key);
  Wrong check_kept(const std::string& name, const Key& key);

  static std::vector<Entry> seen_by_refusals(const Resource& resource);
  /// Something at a key, by its begin.
  struct Bar {
    std::int64_t from = INT64_MIN;
    std::size_t at = 0;
  };
  static std::vector<Bar> bars_of(const Key& key);

  std::int64_t over_at(const std::string& resource, std::uint64_t epoch);
  /// The last moment of a client that counts on the lease; INT64_MIN where there is none.
  std::int64_t held_until(const std::string& resource, std::uint64_t epoch);

  const History& history_;
  std::size_t judged_ = 0;
  std::map<std::string, Resource> resources_;
  std::map<std::string, Key> keys_;
  /// Of each resource: from an epoch on, the first moment at which all below it are over.
  std::map<std::string, std::map<std::uint64_t, std::int64_t>> over_;
  /// Of each resource and epoch, the last moment of a client that counts on it.
  std::map<std::string, std::map<std::uint64_t, std::int64_t>> held_;
};

Result<> LeaseJudge::take(std::size_t at) {
  const Operation& operation = history_[at];
  OperationReader in(operation);
  const bool hold = in.is("lease.hold");
  const bool end = in.is("lease.end");
  const bool change = in.is("lease.put") || in.is("lease.delete");
  const bool read = in.is("lease.get");
  const bool known = in.is("fence") || hold || end || change || read;
  if (!known && !operation.op.starts_with("lease.")) return {};
  if (Result<bool> named = in.finish(true); !named) return at_line(at, named.error());
  ++judged_;
  if (operation.ending == Ending::failed) return {};
  if (change) return take_change(at, in);
  if (read) return take_read(at, in);
  const std::string name = in.text("resource");
  Fence line{{at, operation.client, count(in, hold || end ? "epoch" : "token"), operation.called,
              operation.returned}};
  line.known = in.has_results();
  if (!hold && !end) line.accepted = in.flag_result("accepted").value_or(false);
  if (Result<bool> ended = in.finish(true); !ended) return at_line(at, ended.error());
  Resource& resource = resources_[name];
  if (hold) resource.holds.push_back(line);
  if (end && line.known) resource.ends.push_back(line);
  if (!hold && !end) resource.fences.push_back(line);
  return {};
}

Result<> LeaseJudge::take_change(std::size_t at, OperationReader& in) {
  const Operation& operation = history_[at];
  KeyChange change{{at, operation.client, 0, operation.called, operation.returned}, "", "", false};
  change.known = in.has_results();
  const std::string key = in.text("key");
  if (in.is("lease.put")) {
    change.resource = in.text("resource");
    change.number = count(in, "epoch");
    change.value = in.text("value");
    if (change.resource.empty()) in.refuse("\"resource\" must not be empty");
  }
  if (Result<bool> read = in.finish(true); !read) return at_line(at, read.error());
  keys_[key].changes.push_back(std::move(change));
  return {};
}

Result<> LeaseJudge::take_read(std::size_t at, OperationReader& in) {
  const Operation& operation = history_[at];
  KeyRead read{at, std::nullopt, operation.called, operation.returned};
  const std::string key = in.text("key");
  if (in.result("value").value_or("null") != "null") read.value = in.text_result("value");
  if (Result<bool> ended = in.finish(true); !ended) return at_line(at, ended.error());
  if (in.has_results()) keys_[key].reads.push_back(std::move(read));
  return {};
}

/// In the order of their begin. One that overlaps another's overlaps the one that ends last so far:
/// the others ended before that one began, or they would have been found.
LeaseJudge::Wrong LeaseJudge::check_holders(const std::string& name, const Resource& resource) {
  const Entry* last = nullptr;
  for (const Entry& hold : resource.holds) {
    if (hold.from == hold.to) continue;
    if (last != nullptr && last->client != hold.client && last->to > hold.from)
      return Ruling::illegal(
          fmt::format("two clients believe at {} ns that they hold {}: client {} with epoch {}, "
                      "client {} with epoch {}",
                      hold.from, name, last->client, last->number, hold.client, hold.number),
          {last->at, hold.at});
    if (last == nullptr || hold.to >= last->to) last = &hold;
  }
  return {};
}

LeaseJudge::Wrong LeaseJudge::check_epochs(const std::string& name, const Resource& resource) {
  const Entry* highest = nullptr;
  for (const Entry& hold : resource.holds) {
    if (hold.from == hold.to) continue;
    if (highest != nullptr && (hold.number < highest->number ||
                               (hold.number == highest->number && hold.client != highest->client)))
      return Ruling::illegal(
          fmt::format("epochs of {} must rise: client {} holds it with epoch {} from {} ns, and "
                      "client {} held it with epoch {} before",
                      name, hold.client, hold.number, hold.from, highest->client, highest->number),
          {highest->at, hold.at});
    highest = &hold;
  }
  return {};
}

/// A resource remembers a token, at least the highest that it accepted; a refusal shows that it had
/// seen a higher one than the refused: at least the next that anybody had by then.
LeaseJudge::Wrong LeaseJudge::check_accepted(const std::string& name, const Resource& resource) {
  std::vector<Entry> called;
  for (const Fence& fence : resource.fences)
    if (fence.accepted) called.push_back(fence);
  std::vector<Entry> returned = called;
  const std::vector<Entry> seen = seen_by_refusals(resource);
  returned.insert(returned.end(), seen.begin(), seen.end());
  std::ranges::sort(called, called_earlier);
  std::ranges::sort(returned, {}, [](const Entry& e) { return std::pair(e.to, e.at); });
  const Entry* highest = nullptr;
  auto next = returned.begin();
  for (const Entry& fence : called) {
    for (; next != returned.end() && next->to < fence.from; ++next)
      if (highest == nullptr || next->number > highest->number) highest = &*next;
    if (highest == nullptr || fence.number >= highest->number) continue;
    const bool refusal = *history_[highest->at].find("accepted") == Value(false);
    return Ruling::illegal(
        fmt::format("{} accepted token {} after it had {} token {}", name, fence.number,
                    refusal ? "refused one for" : "accepted", highest->number),
        {highest->at, fence.at});
  }
  return {};
}

/// Of each refusal the lowest token that it may be for; `from` and `to` are the refusal's.
std::vector<Entry> LeaseJudge::seen_by_refusals(const Resource& resource) {
  std::vector<Entry> refusals;
  std::vector<Entry> shown;
  for (const Fence& fence : resource.fences)
    (fence.accepted || !fence.known ? shown : refusals).push_back(fence);
  shown.insert(shown.end(), resource.holds.begin(), resource.holds.end());
  std::ranges::sort(shown, called_earlier);
  std::ranges::sort(refusals, {}, [](const Entry& e) { return std::pair(e.to, e.at); });
  std::set<std::uint64_t> numbers;
  auto next = shown.begin();
  std::vector<Entry> seen;
  for (const Entry& refusal : refusals) {
    for (; next != shown.end() && next->from <= refusal.to; ++next) numbers.insert(next->number);
    const auto above = numbers.upper_bound(refusal.number);
    if (above == numbers.end()) continue;  // check_refused tells of it.
    seen.push_back(refusal);
    seen.back().number = *above;
  }
  return seen;
}

LeaseJudge::Wrong LeaseJudge::check_refused(const std::string& name, const Resource& resource) {
  struct Shown {
    std::uint64_t number;
    std::int64_t from;
  };
  std::vector<Shown> shown;  // By number from the highest; `from` the earliest of it and all above.
  for (const Fence& fence : resource.fences)
    if (fence.accepted || !fence.known) shown.push_back({fence.number, fence.from});
  for (const Entry& hold : resource.holds) shown.push_back({hold.number, hold.from});
  std::ranges::sort(shown, std::ranges::greater(), &Shown::number);
  for (std::size_t i = 1; i < shown.size(); ++i)
    shown[i].from = std::min(shown[i].from, shown[i - 1].from);
  for (const Fence& fence : resource.fences) {
    if (fence.accepted || !fence.known) continue;
    const auto end =
        std::ranges::lower_bound(shown, fence.number, std::ranges::greater(), &Shown::number);
    if (end == shown.begin() || std::prev(end)->from > fence.to)
      return Ruling::illegal(
          fmt::format("{} refused token {}, though nobody had a higher one", name, fence.number),
          {fence.at});
  }
  return {};
}

LeaseJudge::Wrong LeaseJudge::check_ends(const std::string& name, const Resource& resource) {
  for (const Entry& end : resource.ends) {
    if (held_until(name, end.number) <= end.to) continue;
    const auto hold = std::ranges::find_if(
        resource.holds, [&](const Entry& h) { return h.number == end.number && h.to > end.to; });
    return Ruling::illegal(
        fmt::format("the lease of {} with epoch {} was told to be over at {} ns, while client {} "
                    "still counts on it",
                    name, end.number, end.to, hold->client),
        {hold->at, end.at});
  }
  return {};
}

std::int64_t LeaseJudge::held_until(const std::string& resource, std::uint64_t epoch) {
  const auto [of, fresh] = held_.try_emplace(resource);
  if (const auto known = resources_.find(resource); fresh && known != resources_.end())
    for (const Entry& hold : known->second.holds) {
      if (hold.from == hold.to) continue;
      const auto [until, first] = of->second.try_emplace(hold.number, hold.to);
      if (!first) until->second = std::max(until->second, hold.to);
    }
  const auto found = of->second.find(epoch);
  return found == of->second.end() ? INT64_MIN : found->second;
}

std::int64_t LeaseJudge::over_at(const std::string& resource, std::uint64_t epoch) {
  const auto [of, fresh] = over_.try_emplace(resource);
  auto& first = of->second;
  if (const auto known = resources_.find(resource); fresh && known != resources_.end()) {
    const auto over = [&](std::uint64_t below, std::int64_t since) {
      const auto [found, is_new] = first.try_emplace(below, since);
      if (!is_new) found->second = std::min(found->second, since);
    };
    for (const Entry& end : known->second.ends) over(end.number + 1, end.to);
    for (const Entry& hold : known->second.holds) over(hold.number, hold.from);
    std::int64_t earliest = kNever;
    for (auto entry = first.rbegin(); entry != first.rend(); ++entry)
      earliest = entry->second = std::min(earliest, entry->second);
  }
  const auto found = first.upper_bound(epoch);
  return found == first.end() ? kNever : found->second;
}

/// Of each read, the change or read of something else that began last of all that ended before it:
/// what had ended before that one is there no more.
std::vector<LeaseJudge::Bar> LeaseJudge::bars_of(const Key& key) {
  std::vector<Bar> bars(key.reads.size());
  std::vector<const KeyChange*> changes;
  std::vector<std::size_t> called(key.reads.size());
  changes.reserve(key.changes.size());
  for (const KeyChange& change : key.changes) changes.push_back(&change);
  for (std::size_t i = 0; i < called.size(); ++i) called[i] = i;
  std::vector<std::size_t> returned = called;
  std::ranges::sort(changes, {}, [](const KeyChange* c) { return std::pair(c->to, c->at); });
  std::ranges::sort(called, {}, [&](std::size_t i) { return key.reads[i].from; });
  std::ranges::sort(returned, {}, [&](std::size_t i) { return key.reads[i].to; });
  Bar change;
  const KeyRead* last = nullptr;  // The one that began last, and the last that saw another value.
  const KeyRead* other = nullptr;
  auto next_change = changes.begin();
  auto next_read = returned.begin();
  for (const std::size_t i : called) {
    const KeyRead& read = key.reads[i];
    for (; next_change != changes.end() && (*next_change)->to < read.from; ++next_change)
      if ((*next_change)->from > change.from) change = {(*next_change)->from, (*next_change)->at};
    for (; next_read != returned.end() && key.reads[*next_read].to < read.from; ++next_read) {
      const KeyRead& before = key.reads[*next_read];
      const bool unlike = last != nullptr && before.value != last->value;
      if (last == nullptr || before.from >= last->from) {
        if (unlike) other = last;
        last = &before;
      } else if (unlike && (other == nullptr || other->from < before.from)) {
        other = &before;
      }
    }
    const KeyRead* unlike = last != nullptr && last->value == read.value ? other : last;
    bars[i] = change;
    if (unlike != nullptr && unlike->from > change.from) bars[i] = {unlike->from, unlike->at};
  }
  return bars;
}

/// A read of a value is of some put that was called by then, whose lease was not over and behind
/// which, for certain, there was nothing else yet.
LeaseJudge::Wrong LeaseJudge::check_gone(const std::string& name, const Key& key) {
  struct Lives {
    /// By the end of its lease the put that returned last; none returned later with a later end.
    std::map<std::int64_t, const KeyChange*> last = {};
    void add(std::int64_t over, const KeyChange& put) {
      auto behind = last.lower_bound(over);
      if (behind != last.end() && behind->second->to >= put.to) return;
      if (behind != last.end() && behind->first == over) behind = last.erase(behind);
      while (behind != last.begin() && std::prev(behind)->second->to <= put.to)
        behind = last.erase(std::prev(behind));
      last.emplace_hint(behind, over, &put);
    }
  };
  const std::vector<Bar> bars = bars_of(key);
  std::vector<std::size_t> reads;
  for (std::size_t i = 0; i < key.reads.size(); ++i)
    if (key.reads[i].value) reads.push_back(i);
  std::ranges::sort(reads, {}, [&](std::size_t i) { return std::pair(key.reads[i].to, i); });
  std::map<std::string_view, Lives> lives;  // Of each value.
  auto put = key.changes.begin();
  for (const std::size_t i : reads) {
    const KeyRead& read = key.reads[i];
    for (; put != key.changes.end() && put->from <= read.to; ++put)
      if (!put->resource.empty()) lives[put->value].add(over_at(put->resource, put->number), *put);
    const auto of = lives.find(*read.value);
    if (of == lives.end())
      return Ruling::illegal(fmt::format("key {} shows a value that nobody put", name), {read.at});
    const auto& last = of->second.last;
    const auto living = last.lower_bound(read.from);
    if (living == last.end())
      return Ruling::illegal(
          fmt::format("key {} is still there, though its lease was over at {} ns", name,
                      last.rbegin()->first),
          {last.rbegin()->second->at, read.at});
    if (living->second->to < bars[i].from)
      return Ruling::illegal(
          fmt::format("key {} shows a value that was replaced or gone before", name),
          {living->second->at, bars[i].at, read.at});
  }
  return {};
}

/// Judged where one put is behind every other change that the read could have met.
LeaseJudge::Wrong LeaseJudge::check_kept(const std::string& name, const Key& key) {
  std::vector<std::int64_t> returned;  // The latest of the changes called before.
  std::int64_t latest = INT64_MIN;
  for (const KeyChange& change : key.changes) {
    returned.push_back(latest);
    latest = std::max(latest, change.to);
  }
  for (const KeyRead& read : key.reads) {
    if (read.value) continue;
    const auto behind =
        std::ranges::upper_bound(key.changes, read.to, {}, &KeyChange::from) - key.changes.begin();
    if (behind == 0) continue;
    const KeyChange& put = key.changes[static_cast<std::size_t>(behind - 1)];
    const bool alone = returned[static_cast<std::size_t>(behind - 1)] < put.from;
    if (put.resource.empty() || !put.known || !alone || put.to >= read.from) continue;
    const std::int64_t until = held_until(put.resource, put.number);
    if (until > read.to)
      return Ruling::illegal(
          fmt::format("key {} is gone at {} ns, though client {} counts on its lease until {}",
                      name, read.to, put.client,
                      until == kNever ? "the end" : fmt::format("{} ns", until)),
          {put.at, read.at});
  }
  return {};
}

}  // namespace

Result<Ruling> judge_leases(const History& history) {
  LeaseJudge judge(history);
  Result<Ruling> ruling = judge.judge();
  if (ruling) ruling->judged = judge.judged();
  return ruling;
}

}  // namespace tubing::sim
