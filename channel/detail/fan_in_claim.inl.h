// The bodies of FanInSet and FanInClaim.
#pragma once

#include "tubing/channel/detail/fan_in_claim.h"

namespace tubing::detail {

template <class Key, class T>
Result<> FanInSet<Key, T>::add(Key key, const Receiver<T>& rx) {
  TUBING_ASSERT(rx && "a FanIn receives from no empty handle");
  auto [at, added] = members_.try_emplace(std::move(key), *this, ChannelRef<T>(rx.core()));
  if (!added)
    return Error(Code::already_exists, "add", "a member has this key; remove it, or take another");
  Member& member = at->second;
  member.key = &at->first;
  if (list_.capacity() < members_.size()) list_.reserve(2 * members_.size());
  list(member);
  if (!waiters_.empty()) serve(member);
  return {};
}

template <class Key, class T>
ChannelRef<T> FanInSet<Key, T>::remove(const Key& key) {
  const auto at = members_.find(key);
  if (at == members_.end()) return {};
  ChannelRef<T> channel = at->second.channel;
  erase(at->second);
  return channel;
}

template <class Key, class T>
typename FanInSet<Key, T>::Member* FanInSet<Key, T>::find(Prng& prng) {
  while (!list_.empty()) {
    const std::size_t drawn =
        list_.size() == 1 ? 0 : static_cast<std::size_t>(prng.below(list_.size()));
    Member& member = *list_[drawn];
    if (member.channel->can_receive()) return &member;
    unlist(member);
    member.link();
  }
  return nullptr;
}

template <class Key, class T>
void FanInSet<Key, T>::take(Member& member, Place& into) {
  into.key.emplace(*member.key);
  into.source = member.channel;
  into.how = member.channel->receive(into.value);
  if (into.how != Outcome::done) erase(member);
}

template <class Key, class T>
void FanInSet<Key, T>::enlist(Place& place) {
  place.slot = &place.value;
  // What is still listed has nothing but what this very select offers to send.
  for (Member* member : list_) member->link();
  waiters_.push(place);
}

template <class Key, class T>
void FanInSet<Key, T>::serve(Member& member) {
  ChannelCore<T>& channel = *member.channel;
  while (!waiters_.empty() && channel.can_receive()) {
    auto& place = static_cast<Place&>(waiters_.front());
    const Waiter* waiting = place.waiter;
    // A select that waits to send into this same channel does not meet itself.
    if (channel.senders().any_of([=](const WaitNode& n) { return n.waiter == waiting; })) return;
    channel.check_home(*waiting->strand);
    take(member, place);
    const bool ended = place.how != Outcome::done;
    settle_claim(place, Outcome::done);
    if (ended) return;
  }
  if (!waiters_.empty()) member.link();
}

template <class Key, class T>
void FanInSet<Key, T>::list(Member& member) {
  if (member.listed != kNowhere) return;
  member.listed = list_.size();
  list_.push_back(&member);
}

template <class Key, class T>
void FanInSet<Key, T>::unlist(Member& member) {
  if (member.listed == kNowhere) return;
  list_.back()->listed = member.listed;
  list_[member.listed] = list_.back();
  list_.pop_back();
  member.listed = kNowhere;
}

template <class Key, class T>
void FanInSet<Key, T>::erase(Member& member) {
  unlist(member);
  members_.erase(members_.find(*member.key));
}

template <class Key, class T>
FanInPlace<Key, T>& FanInSet<Key, T>::first_place(Member& member) {
  auto& place = static_cast<Place&>(waiters_.front());
  member.channel->check_home(*place.waiter->strand);
  place.key.emplace(*member.key);
  place.source = member.channel;
  return place;
}

template <class Key, class T>
void FanInSet<Key, T>::Member::link() {
  if (!linked()) channel->receivers().push(*this);
}

template <class Key, class T>
WaitNode* FanInSet<Key, T>::Member::claim() {
  unlink();
  if (!is_awaited()) {
    set.list(*this);
    return nullptr;
  }
  // To the end of the queue: others who receive from this channel have their turn.
  link();
  Place& place = set.first_place(*this);
  place.how = Outcome::done;
  return &place;
}

template <class Key, class T>
WaitNode* FanInSet<Key, T>::Member::claim_end() {
  unlink();
  if (!is_awaited()) {
    set.list(*this);
    return nullptr;
  }
  Place& place = set.first_place(*this);
  place.how = Outcome::ended;
  set.erase(*this);
  return &place;
}

template <class Key, class T>
void FanInSet<Key, T>::Member::look() {
  set.list(*this);
  if (!is_awaited()) unlink();
}

template <class Key, class T>
FanInEvent<Key, T> FanInClaim<Key, T>::take() {
  Key key = *std::move(place_.key);
  if (place_.how == Outcome::done) return {std::move(key), *std::move(place_.value)};
  ChannelCore<T>& source = *place_.source;
  source.note_recv_end(Code::ok);
  if (place_.how == Outcome::refused) return {std::move(key), source.refusal()};
  return {std::move(key), source.how_ended().met_by(kOperation)};
}

}  // namespace tubing::detail
