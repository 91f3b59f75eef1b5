// The judge of watches: every change once, in order, whole, and nothing that did not happen.
#pragma once

#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

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
/// Units: it takes O(n log n), and each watch the number of changes of its table that it passes;
/// matching u operations of unknown end to r revisions takes O(u r) at worst.
Result<Ruling> judge_watches(const History& history);

}  // namespace tubing::sim
