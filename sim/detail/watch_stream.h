// WatchStream: what one watch was told, from its opening to its end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/detail/map_events.h"
#include "tubing/sim/detail/watch_work.h"
#include "tubing/sim/judges/ruling.h"

namespace tubing::sim::detail {

/// The keys of a table from one on, below another.
struct WatchFilter {
  std::string table;
  std::string from;
  std::optional<std::string> to;

  bool sees(const MapEvent& event) const {
    return event.table == table && event.key >= from && (!to || event.key < *to);
  }
  MapEvents seen(const MapEvents& events) const;
};

struct WatchTold {
  enum class Kind : std::uint8_t { batch, progress, compacted, lagging };
  Kind kind = Kind::batch;
  std::size_t at = 0;
  std::int64_t time = 0;
  std::uint64_t revision = 0;  ///< Or the oldest, or where to resume.
  std::uint64_t previous = 0;
  MapEvents events = {};
};

struct WatchStream {
  std::size_t at = 0;  ///< Of its opening.
  std::int64_t time = 0;
  WatchFilter filter = {};
  std::optional<std::uint64_t> begin = {};  ///< None: nobody knows; the first batch says.
  bool from_now = false;
  std::vector<WatchTold> told = {};
  std::uint64_t stands_at = 0;  ///< Behind all that was told.
};

/// A known change.
struct WatchedChange {
  std::uint64_t revision = 0;
  std::size_t at = 0;
  MapEffect effect;
};

/// The changes of one table, by revision.
using WatchedTable = std::vector<const WatchedChange*>;

/// Adds up what the known changes say about a stream, and what they leave open.
class WatchStreamJudge {
 public:
  /// A revision that no known change has, as a stream showed it: at least one event.
  struct Sighting {
    std::size_t stream = 0;
    const WatchTold* told = nullptr;
  };
  /// Those of a revision by stream.
  using Sightings = std::map<std::uint64_t, std::vector<Sighting>>;

  /// Requires: all outlive it; `changes` by revision.
  WatchStreamJudge(const std::vector<WatchedChange>& changes, Sightings& sightings,
                   WatchWork& work);

  /// `number`: the stream's, in sightings. Requires: it rises.
  std::optional<Ruling> judge(WatchStream& stream, std::size_t number);

 private:
  using Wrong = std::optional<Ruling>;

  Wrong take(WatchStream& stream, const WatchTold& told, std::size_t number);
  Wrong take_batch(WatchStream& stream, const WatchTold& batch, std::size_t number);
  Wrong take_end(const WatchStream& stream, const WatchTold& end) const;
  Wrong check_events(const WatchStream& stream, const WatchTold& batch,
                     const WatchedChange& change) const;
  Wrong check_gap(const WatchStream& stream, const WatchTold& told, std::uint64_t last) const;
  const WatchedChange* change_at(std::uint64_t revision) const;

  const std::vector<WatchedChange>& changes_;
  std::map<std::string, WatchedTable> tables_;
  Sightings& sightings_;
  WatchWork& work_;
};

/// An operation of unknown end that may explain a revision.
struct WatchCandidate {
  std::size_t at = 0;
  std::int64_t called = 0;
  /// Takes a higher revision: this one had been told before it was called.
  std::uint64_t above = 0;
  std::vector<MapEffect> effects;
};

/// Looks for an operation of unknown end for each revision that was seen and that no known change
/// has: bipartite matching, along augmenting paths. Where operations of unknown end change single
/// keys no path is needed, and it takes O((u + r) log u).
std::optional<Ruling> match_sightings(const WatchStreamJudge::Sightings& sightings,
                                      const std::vector<WatchStream>& streams,
                                      const std::vector<WatchCandidate>& candidates,
                                      WatchWork& work);

}  // namespace tubing::sim::detail
