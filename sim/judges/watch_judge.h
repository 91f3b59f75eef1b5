// The judge of watches: every change once, in order, whole, and nothing that did not happen.
#pragma once

#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

/// How much the judge of watches does before it gives up.
struct WatchOptions {
  /// Units: changes that watches pass over, and comparisons of what a watch has shown with what an
  /// operation of unknown end may have done, each about 10 ns and at most 10 bytes.
  std::uint64_t work_max = 500'000'000;
};

/// Judges the lines `watch.*` of a history against its changes of a map, as HISTORY.md has both;
/// the others are passed over. A watch sees the keys of one table, in a range. It stands at a
/// revision: that at which it was opened, then that which it was told last.
///
///  - A batch goes on from where the watch stands and shows all that one revision did to the keys
///    that it sees, and nothing else. Between the two no known change of these keys lies.
///  - All that is shown was done by an operation that had been called by then: by the one that took
///    this revision, or else by one of unknown end, each of which explains one revision, behind all
///    that had been told when it was called. Watches agree on what a revision did.
///  - A progress mark, or where a watch is opened, promises that nothing at or below it follows; a
///    change that is called later takes a higher revision.
///  - `compacted` is told only where what follows the watch's revision is older than `oldest`.
///  - `lagging` names a revision to resume from up to which nothing is missing.
///  - Behind either of these a watch shows nothing more, until it is opened anew.
///
/// Exact, but for two things that it does not see: what a revision did at which a table was dropped
/// or renamed, and whether a delete that does not say so found its key. What it calls illegal is
/// illegal always. Whether the changes themselves are right is for the witness checker to say.
/// Errors: invalid_argument: a field that is missing or of a wrong type, and the line.
/// Units: it takes O(n log n), and each watch the number of changes of its table that it passes.
/// Transactions of unknown end that may explain revisions in several ways take O(u r) at worst, for
/// u of them and r revisions. `undecided` where WatchOptions were met before a verdict.
Result<Ruling> judge_watches(const History& history, const WatchOptions& options = {});

}  // namespace tubing::sim
