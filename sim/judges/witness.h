// The witness checker: a service that says at which revision it answered is taken at its word.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "tubing/sim/detail/witness_judge.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

/// Judges a history whose answers carry the revision at which they took effect, or at which they
/// read: that behind the change of this revision. Legal where
///
///  - no two changes took the same revision;
///  - revisions respect real time: an operation that returned before another was called has a
///    revision that is not above the other's, and is below it where the other is a change;
///  - the model, taking all operations in the order of their revisions, gives every answer.
///
/// Operations of unknown end have no revision. Each took effect never, or at one that no change is
/// known to have, behind every revision that anybody was told before it was called. They are placed
/// where an answer cannot be explained without: as few as will do, the one called first of those
/// that ask the same; then they share out the free revisions, the earliest deadline first, which
/// finds a way where there is one.
///
/// Exact: `legal` always, since an order was found. `illegal` always: either the rules above are
/// broken by operations of known end alone, or no placement of the others gives an answer, or those
/// that must be placed are more than there are free revisions, however they are chosen.
/// `undecided` where a bound of WitnessOptions was met before one or the other was clear: single
/// keys of which each operation tells or sets the whole value do not come near it. Scans of a
/// table, and versions that few answers tell, may with some hundred operations of unknown end.
/// Not seen: that a revision was taken by what changed nothing, say a compare-and-swap that failed;
/// one of unknown end may be thought to have it.
///
/// The model may have, beside what model.h asks for,
///
/// - `bool reads(const Step&) const`: whether it takes no revision of its own. Else it is
///   changes_nothing.
/// - `bool settles(const Step&) const`: whether every state in which it can happen becomes the same
///   one. Long histories that are illegal are decided sooner by it.
///
/// Returns: the shortest argument: the two operations that contradict each other, or the answer,
/// and what replay says in its place. Errors: invalid_argument: what the model cannot read, or an
/// answer without a revision. Units: it takes O(n log n) steps, and more for operations of unknown
/// end alone.
template <Model M>
Result<Ruling> judge_by_witness(M model, const History& history,
                                const WitnessOptions& options = {}) {
  detail::ModelWitness<M> witness(model, history);
  if (Result<> read = witness.read(); !read) return read.error();
  Result<Ruling> ruling = detail::WitnessJudge(history, witness, options).judge();
  if (ruling) ruling->judged = history.size();
  return ruling;
}

}  // namespace tubing::sim
