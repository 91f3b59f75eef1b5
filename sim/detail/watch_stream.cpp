#include "tubing/sim/detail/watch_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tubing::sim::detail {

MapEvents WatchFilter::seen(const MapEvents& events) const {
  MapEvents seen;
  std::ranges::copy_if(events, std::back_inserter(seen),
                       [&](const MapEvent& event) { return sees(event); });
  return seen;
}

WatchStreamJudge::WatchStreamJudge(const std::vector<WatchedChange>& changes, Sightings& sightings,
                                   WatchWork& work)
    : changes_(changes), sightings_(sightings), work_(work) {
  for (const WatchedChange& change : changes_) {
    std::set<std::string> tables;
    for (const MapEvent& event : change.effect.events) tables.insert(event.table);
    for (const std::string& table : tables) tables_[table].push_back(&change);
  }
}

std::optional<Ruling> WatchStreamJudge::judge(WatchStream& stream, std::size_t number) {
  stream.stands_at = stream.begin.value_or(0);
  bool over = false;
  for (const WatchTold& told : stream.told) {
    if (over)
      return Ruling::illegal("a watch went on behind its end, without being opened anew",
                             {stream.at, told.at});
    if (Wrong wrong = take(stream, told, number)) return wrong;
    over = told.kind == WatchTold::Kind::compacted || told.kind == WatchTold::Kind::lagging;
  }
  return std::nullopt;
}

WatchStreamJudge::Wrong WatchStreamJudge::take(WatchStream& stream, const WatchTold& told,
                                               std::size_t number) {
  if (!stream.begin) {
    stream.begin = told.kind == WatchTold::Kind::batch ? told.previous : told.revision;
    stream.stands_at = *stream.begin;
  }
  if (told.kind == WatchTold::Kind::batch) return take_batch(stream, told, number);
  if (told.kind != WatchTold::Kind::progress) return take_end(stream, told);
  if (told.revision < stream.stands_at)
    return Ruling::illegal(fmt::format("a progress mark goes back to revision {}: the watch stood "
                                       "at {}",
                                       told.revision, stream.stands_at),
                           {stream.at, told.at});
  if (Wrong wrong = check_gap(stream, told, told.revision)) return wrong;
  stream.stands_at = told.revision;
  return std::nullopt;
}

WatchStreamJudge::Wrong WatchStreamJudge::take_batch(WatchStream& stream, const WatchTold& batch,
                                                     std::size_t number) {
  if (batch.revision <= stream.stands_at)
    return Ruling::illegal(
        fmt::format("revision {} is shown again or too late: the watch stood at {}", batch.revision,
                    stream.stands_at),
        {stream.at, batch.at});
  if (batch.previous != stream.stands_at)
    return Ruling::illegal(fmt::format("a batch goes on from revision {}: the watch stood at {}",
                                       batch.previous, stream.stands_at),
                           {stream.at, batch.at});
  if (batch.events.empty()) return Ruling::illegal("a batch shows no event", {stream.at, batch.at});
  for (const MapEvent& event : batch.events)
    if (!stream.filter.sees(event))
      return Ruling::illegal(
          fmt::format("a watch shows key {}, which it was not asked for", event.key),
          {stream.at, batch.at});
  if (Wrong wrong = check_gap(stream, batch, batch.revision - 1)) return wrong;
  if (const WatchedChange* change = change_at(batch.revision)) {
    if (Wrong wrong = check_events(stream, batch, *change)) return wrong;
  } else {
    sightings_[batch.revision].push_back({number, &batch});
  }
  stream.stands_at = batch.revision;
  return std::nullopt;
}

WatchStreamJudge::Wrong WatchStreamJudge::check_events(const WatchStream& stream,
                                                       const WatchTold& batch,
                                                       const WatchedChange& change) const {
  if (change.effect.anything) return std::nullopt;
  auto shown = batch.events.begin();
  for (const MapEvent& event : stream.filter.seen(change.effect.events)) {
    if (shown != batch.events.end() && shown->is_same(event))
      ++shown;
    else if (event.sure)
      return Ruling::illegal(fmt::format("revision {} did something else to key {}, or more than "
                                         "its batch shows",
                                         batch.revision, event.key),
                             {change.at, batch.at});
  }
  if (shown == batch.events.end()) return std::nullopt;
  return Ruling::illegal(fmt::format("revision {} did not do to key {} what its batch shows",
                                     batch.revision, shown->key),
                         {change.at, batch.at});
}

/// Any change that it should have shown by now, up to and with `last`.
WatchStreamJudge::Wrong WatchStreamJudge::check_gap(const WatchStream& stream,
                                                    const WatchTold& told,
                                                    std::uint64_t last) const {
  const auto table = tables_.find(stream.filter.table);
  if (table == tables_.end()) return std::nullopt;
  const auto revision = [](const WatchedChange* change) { return change->revision; };
  for (auto next = std::ranges::upper_bound(table->second, stream.stands_at, {}, revision);
       next != table->second.end() && (*next)->revision <= last; ++next) {
    if (!work_.spend(1 + (*next)->effect.events.size())) return work_.undecided();
    for (const MapEvent& event : (*next)->effect.events)
      if (event.sure && stream.filter.sees(event))
        return Ruling::illegal(
            fmt::format("a watch passed over revision {}, which changed key {}: it stood at {}, "
                        "and went on to {}",
                        (*next)->revision, event.key, stream.stands_at, told.revision),
            {(*next)->at, told.at});
  }
  return std::nullopt;
}

WatchStreamJudge::Wrong WatchStreamJudge::take_end(const WatchStream& stream,
                                                   const WatchTold& end) const {
  if (end.kind == WatchTold::Kind::compacted) {
    if (end.revision > stream.stands_at + 1) return std::nullopt;
    return Ruling::illegal(
        fmt::format("a watch that stands at revision {} was told `compacted`, though the oldest "
                    "that is kept, {}, does not lie behind the next",
                    stream.stands_at, end.revision),
        {stream.at, end.at});
  }
  if (end.revision < stream.stands_at)
    return Ruling::illegal(fmt::format("a watch that stands at revision {} was told to resume from "
                                       "{}: it would see again what it saw",
                                       stream.stands_at, end.revision),
                           {stream.at, end.at});
  return check_gap(stream, end, end.revision);
}

const WatchedChange* WatchStreamJudge::change_at(std::uint64_t revision) const {
  const auto found = std::ranges::lower_bound(changes_, revision, {}, &WatchedChange::revision);
  return found == changes_.end() || found->revision != revision ? nullptr : &*found;
}

}  // namespace tubing::sim::detail
