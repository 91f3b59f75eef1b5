// The judge of sessions: each call of a session takes effect once, in order, however often it is
// sent.
#pragma once

#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

/// Judges the operations that have the fields `session` and `serial`, as HISTORY.md has them; the
/// others are passed over. Each attempt of a call is an operation of its own with the same serial.
/// Lines `session.applied`, where a history has any, are all the effects that there were: what a
/// replica's state machine did, in the order of their revisions, or else of their times.
///
///  - Attempts of a call that were answered have the same results and the same revision.
///  - Within a session revisions rise with serials, and no call is answered ok behind one of which
///    every attempt failed, or which was never made: it would have been out of order.
///  - A call takes effect at most once, and not before it was made; one that was answered ok
///    did so before the answer came; one of which every attempt failed never does; one that nobody
///    knows of, once or never.
///  - Effects of a session have serials that follow each other without a gap.
///
/// Exact: what it calls illegal breaks one of these sentences, and what breaks one is found.
/// Errors: invalid_argument: a field that is missing or of a wrong type, two different requests
/// under one serial, effects of which some have a revision and some do not; and the operation.
/// Units: it takes O(n log n).
Result<Ruling> judge_sessions(const History& history);

}  // namespace tubing::sim
