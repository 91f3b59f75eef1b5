// The judge of leases: one holder at a time, fencing, and keys that live as long as their lease.
#pragma once

#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

/// Judges the lines `lease.*` and `fence` of a history, as HISTORY.md has them; the others are
/// passed over. Times are those of the world, not of a client's clock.
///
///  - No two clients believe at the same time that they hold a resource. A belief is the line
///    `lease.hold`, from its call to its return: as the client itself counts.
///  - Epochs of a resource rise: who holds it later has a higher one; the same client may renew.
///  - A resource that accepted a token, or refused one for it, accepts no lower one from then on;
///  it
///    refuses a token only where a higher one had been asked for or granted before.
///  - Nobody is told that a lease is over (`lease.end`) while a client still counts on it.
///  - A key put with a lease is gone once the lease is over, and not while a client counts on it.
///    It shows what was put last, and nothing behind a delete.
///
/// A lease of a resource is over, at the latest, when it was told so, or when somebody holds the
/// resource with a higher epoch. Exact where no two operations on a resource, or on a key, overlap.
/// Where they do, each read is held against what ended before it alone: that one order explains all
/// of them is not asked, so what is called illegal is illegal, and `legal` may be said of what a
/// search for one order would refuse. Not judged: whether a lease was over by then, or not yet,
/// that only another key shows; a put or a fence that was accepted though its lease was over.
/// Errors: invalid_argument: a field that is missing or of a wrong type, and the operation.
/// Units: it takes O(n log n).
Result<Ruling> judge_leases(const History& history);

}  // namespace tubing::sim
