#include "tubing/sim/judges/lease_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

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

/// Any order that has the tokens rise and respects real time will do, and there is one unless two
/// of them contradict each other.
LeaseJudge::Wrong LeaseJudge::check_accepted(const std::string& name, const Resource& resource) {
  std::vector<Entry> called;
  for (const Fence& fence : resource.fences)
    if (fence.accepted) called.push_back(fence);
  std::vector<Entry> returned = called;
  std::ranges::sort(called, called_earlier);
  std::ranges::sort(returned, {}, [](const Entry& e) { return std::pair(e.to, e.at); });
  const Entry* highest = nullptr;
  auto next = returned.begin();
  for (const Entry& fence : called) {
    for (; next != returned.end() && next->to < fence.from; ++next)
      if (highest == nullptr || next->number > highest->number) highest = &*next;
    if (highest != nullptr && fence.number < highest->number)
      return Ruling::illegal(fmt::format("{} accepted token {} after it had accepted token {}",
                                         name, fence.number, highest->number),
                             {highest->at, fence.at});
  }
  return {};
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

LeaseJudge::Wrong LeaseJudge::check_gone(const std::string& name, const Key& key) {
  struct Life {
    std::int64_t from;
    std::int64_t over;  ///< The latest of this put and those called before it.
    std::size_t at;
  };
  std::map<std::string_view, std::vector<Life>> lives;  // Of each value, as the puts were called.
  for (const KeyChange& change : key.changes) {
    if (change.resource.empty()) continue;
    std::vector<Life>& of = lives[change.value];
    Life life{change.from, over_at(change.resource, change.number), change.at};
    if (!of.empty() && of.back().over >= life.over)
      life = {life.from, of.back().over, of.back().at};
    of.push_back(life);
  }
  for (const KeyRead& read : key.reads) {
    if (!read.value) continue;
    const auto of = lives.find(*read.value);
    if (of == lives.end() || of->second.front().from > read.to)
      return Ruling::illegal(fmt::format("key {} shows a value that nobody put", name), {read.at});
    const auto behind = std::ranges::upper_bound(of->second, read.to, {}, &Life::from);
    const Life& last = *std::prev(behind);
    if (last.over < read.from)
      return Ruling::illegal(
          fmt::format("key {} is still there, though its lease was over at {} ns", name, last.over),
          {last.at, read.at});
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
