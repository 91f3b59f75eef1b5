// FanInSet: the members of a FanIn, and who waits for them. FanInClaim is one who waits.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tubing/channel/channel.h"
#include "tubing/channel/detail/claim_ops.h"
#include "tubing/channel/detail/onlooker.h"

namespace tubing {
template <class Key, class T>
struct FanInEvent;
}

namespace tubing::detail {

/// One who waits for any member, and what it gets.
template <class Key, class T>
struct FanInPlace : WaitNode {
  std::optional<Key> key;
  ChannelRef<T> source;
  std::optional<T> value;
  Outcome how = Outcome::pending;  ///< Done: there is a value; otherwise how the member ended.
};

/// Each member is listed, linked, or both. Listed: it may have something, look before you wait.
/// Linked: an Onlooker in its channel's queue, which hears of the next value.
///
/// Invariants: a member whose channel has something is listed, so that a find is a draw among the
/// listed; while a strand waits here every member is linked. An entry that turns out to be stale is
/// unlisted and linked at the cost of the event that listed it: O(1) for each event.
template <class Key, class T>
class FanInSet {
 public:
  using Place = FanInPlace<Key, T>;

  class Member final : public Onlooker {
   public:
    Member(FanInSet& of, ChannelRef<T> to) : set(of), channel(std::move(to)) {}
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    ~Member() { leave(); }
    WaitNode* claim() override;
    WaitNode* claim_end() override;
    void look() override;
    bool is_awaited() const override { return !set.waiters_.empty(); }
    void link();
    void leave() {
      if (linked()) unlink();
    }

    FanInSet& set;
    const ChannelRef<T> channel;
    const Key* key = nullptr;       ///< The map's own.
    std::size_t listed = kNowhere;  ///< Its place in the list.
  };

  FanInSet() = default;
  ~FanInSet() { TUBING_ASSERT(waiters_.empty() && "a FanIn outlives the waits for it"); }

  Result<> add(Key key, const Receiver<T>& rx);
  ChannelRef<T> remove(const Key& key);
  bool contains(const Key& key) const { return members_.contains(key); }
  std::size_t size() const { return members_.size(); }
  /// How many members may have something.
  std::size_t listed() const { return list_.size(); }

  /// A member that has something, each with the same chance; null where there is none.
  Member* find(Prng& prng);
  /// Receives from `member`, which has something.
  void take(Member& member, Place& into);
  void enlist(Place& place);

 private:
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  void list(Member& member);
  void unlist(Member& member);
  void erase(Member& member);
  /// The first who waits gets what comes from `member` next.
  Place& first_place(Member& member);
  void serve(Member& member);

  std::map<Key, Member> members_;
  std::vector<Member*> list_;  ///< Has room for all members, so that listing allocates nothing.
  WaitQueue waiters_;
};

template <class Key, class T>
class FanInClaim {
 public:
  using Value = FanInEvent<Key, T>;
  static constexpr const char* kOperation = "recv";

  explicit FanInClaim(FanInSet<Key, T>& set) : set_(&set) {}
  bool ready(Strand& strand) {
    found_ = set_->find(strand.scheduler.prng());
    if (found_) found_->channel->check_home(strand);
    return found_ != nullptr;
  }
  Outcome settle() {
    set_->take(*found_, place_);
    return Outcome::done;
  }
  WaitNode& node() { return place_; }
  void enlist() { set_->enlist(place_); }
  Value take();
  Error error() const { return Error(Code::internal, kOperation); }

 private:
  FanInSet<Key, T>* set_;
  FanInPlace<Key, T> place_;
  typename FanInSet<Key, T>::Member* found_ = nullptr;  ///< By `ready`, for `settle` behind it.
};

}  // namespace tubing::detail

#include "tubing/channel/detail/fan_in_claim.inl.h"
