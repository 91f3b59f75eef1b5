// FanIn<Key, T>: one receive from a changing set of receivers.
#pragma once

#include "tubing/channel/detail/fan_in_claim.h"

namespace tubing {

/// What a FanIn yields: which member, and its value, or how that member ended.
template <class Key, class T>
struct FanInEvent {
  Key key;
  Result<T> value;
};

/// Receives from whichever of its members has something, each under a key. A select has its arms in
/// the source; a FanIn has as many as there are, and may gain and lose them while somebody waits.
///
///     FanIn<std::string, Line> lines;
///     co_await ok(lines.add("ann", ann.rx));
///     for (;;) {
///       auto line = co_await ok(lines.recv());
///       if (!line.value) tell(line.key + " left");  // that member is no longer in the set
///       …
///
/// Uniform among the members that are ready (drawn from the Scheduler's Prng), whatever their
/// number; an event costs the same for one member as for a million, and allocates nothing but what
/// copying its key does. As in Go a value is taken only when a receive takes place: while nobody
/// waits on the FanIn its members keep what they have, and others may receive from them as well.
///
/// Requires: Key is copyable and ordered by `<`. It outlives the waits for it; not movable.
/// Threads: the Scheduler's alone.
template <class Key, class T>
class FanIn {
 public:
  using Event = FanInEvent<Key, T>;
  using Claim = detail::FanInClaim<Key, T>;

  FanIn() = default;
  FanIn(const FanIn&) = delete;
  FanIn& operator=(const FanIn&) = delete;

  /// Adds a member: `rx` of a channel in this process or over a network.
  /// Requires: `rx` is not empty.
  /// Errors: already_exists where there is a member of that key.
  Result<> add(Key key, Receiver<T> rx) { return set_.add(std::move(key), rx); }
  /// Takes a member out. What it has not yielded stays in its channel.
  /// Returns: its receiver; an empty one where there is no such member.
  Receiver<T> remove(const Key& key) { return Receiver<T>(set_.remove(key).get()); }
  bool contains(const Key& key) const { return set_.contains(key); }
  std::size_t size() const { return set_.size(); }

  /// `co_await lines.recv()`: the next event. Without members it waits for one to be added.
  /// Returns: a Result<Event>; a member whose channel ended yields that end once, behind its last
  /// value, and is no longer a member. Errors: cancelled, deadline_exceeded.
  /// Cancel: ends the wait; no value is lost.
  detail::ClaimOp<Claim> recv(Deadline deadline = {}) { return {Claim(set_), deadline}; }

  detail::FanInSet<Key, T>& set() { return set_; }

 private:
  detail::FanInSet<Key, T> set_;
};

/// An arm that receives from a FanIn; its result is a Result<FanInEvent<Key, T>>, always a value.
template <class Key, class T>
detail::ClaimArm<detail::FanInClaim<Key, T>> recv(FanIn<Key, T>& fan) {
  return detail::ClaimArm(detail::FanInClaim<Key, T>(fan.set()));
}

}  // namespace tubing
