// The arms of a select, and the operation that waits for all of them.
#pragma once

#include <bit>
#include <tuple>

#include "tubing/channel/detail/channel_ref.h"
#include "tubing/channel/scheduler.h"

namespace tubing {
template <class... Results>
class Selected;
}

namespace tubing::detail {

// An arm has
//   using Value            its result
//   bool ready(const Waiter&) const  whether it could take place now
//   Outcome commit()       takes place; called when ready
//   void enlist(Waiter&, arm)  queues itself for later
//   Value finish(Waiter&)  the result, after commit or a wake

template <class T>
class RecvArm {
 public:
  using Value = Result<T>;
  explicit RecvArm(ChannelCore<T>* core) : channel_(core) {}
  bool ready(const Waiter&) const { return core() && core()->can_receive(); }
  Outcome commit() { return core()->receive(value_); }
  void enlist(Waiter& waiter, std::uint32_t arm) {
    if (!core()) return;
    core()->check_home(*waiter.strand);
    core()->receivers().push(place_.begin(waiter, &value_, arm));
  }
  Value finish(Waiter& waiter) {
    if (waiter.outcome == Outcome::done) return *std::move(value_);
    return receive_error(*core(), waiter);
  }

 private:
  ChannelCore<T>* core() const { return channel_.get(); }

  ChannelRef<T> channel_;  ///< Keeps the channel while this waits; empty: a disabled arm.
  WaitPlace place_;
  std::optional<T> value_;
};

template <class T>
class SendArm {
 public:
  using Value = Result<>;
  SendArm(ChannelCore<T>* core, const T& value) : channel_(core), value_(const_cast<T*>(&value)) {}
  SendArm(ChannelCore<T>* core, T&& value) : channel_(core), value_(&value), may_move_(true) {}
  bool ready(const Waiter&) const { return core() && core()->can_send(); }
  Outcome commit() { return send_from(*core(), *value_, may_move_); }
  void enlist(Waiter& waiter, std::uint32_t arm) {
    if (!core()) return;
    core()->check_home(*waiter.strand);
    WaitNode& node = place_.begin(waiter, value_, arm);
    node.may_move = may_move_;
    core()->enlist_sender(node);
  }
  Value finish(Waiter& waiter) {
    if (waiter.outcome == Outcome::done) return {};
    return wait_error(*core(), waiter, "send");
  }

 private:
  ChannelCore<T>* core() const { return channel_.get(); }

  ChannelRef<T> channel_;  ///< Keeps the channel while this waits; empty: a disabled arm.
  WaitPlace place_;
  T* value_;
  bool may_move_ = false;
};

template <class T>
class FlushArm {
 public:
  using Value = Result<>;
  explicit FlushArm(ChannelCore<T>* core) : channel_(core), count_(core ? core->accepted() : 0) {}
  bool ready(const Waiter&) const { return core() && core()->flush(count_) != Outcome::pending; }
  Outcome commit() { return core()->flush(count_); }
  void enlist(Waiter& waiter, std::uint32_t arm) {
    if (!core()) return;
    core()->check_home(*waiter.strand);
    core()->watch_flush(place_.begin(waiter, &count_, arm));
  }
  Value finish(Waiter& waiter) {
    if (waiter.outcome == Outcome::done) return {};
    return flush_error(*core(), waiter);
  }

 private:
  ChannelCore<T>* core() const { return channel_.get(); }

  ChannelRef<T> channel_;  ///< Keeps the channel while this waits; empty: a disabled arm.
  WaitPlace place_;
  std::uint64_t count_;
};

class AfterArm {
 public:
  using Value = Result<>;
  explicit AfterArm(Deadline at) : deadline_(at) {}
  bool ready(const Waiter& waiter) const {
    if (deadline_.never() || deadline_.relative()) return false;
    return deadline_.from(Time()) <= waiter.strand->scheduler.now();
  }
  Outcome commit() { return Outcome::done; }
  void enlist(Waiter& waiter, std::uint32_t arm) {
    if (deadline_.never()) return;
    Scheduler& scheduler = waiter.strand->scheduler;
    const Time due = deadline_.from(scheduler.now());
    if (waiter.armed()) {
      if (waiter.due <= due) return;
      scheduler.timers().disarm(waiter);
    }
    // The waiter's own timer is that of the earliest arm: whatever ends the wait disarms it.
    waiter.won = arm;
    waiter.fire = [](Timer& timer) {
      Waiter& select = static_cast<Waiter&>(timer);
      select.strand->wake(select, Outcome::done);
    };
    scheduler.timers().arm(waiter, due);
  }
  Value finish(Waiter&) { return {}; }

 private:
  Deadline deadline_;
};

class OtherwiseArm {
 public:
  using Value = Result<>;
  bool ready(const Waiter&) const { return false; }
  Outcome commit() { return Outcome::done; }
  void enlist(Waiter&, std::uint32_t) {}
  Value finish(Waiter&) { return {}; }
};

template <bool kUniform, class... Arms>
class [[nodiscard]] SelectOp : public Waiter {
  static constexpr std::size_t kArms = sizeof...(Arms);
  static constexpr std::size_t kOtherwise = [] {
    std::size_t index = 0;
    std::size_t found = kArms;
    ((std::is_same_v<Arms, OtherwiseArm> ? found = index++ : index++), ...);
    return found;
  }();
  static_assert(kArms <= 32, "a select has at most 32 arms");
  static_assert((std::size_t{std::is_same_v<Arms, OtherwiseArm>} + ...) <= 1,
                "a select has at most one otherwise()");

 public:
  using Value = Selected<typename Arms::Value...>;

  explicit SelectOp(Arms&&... arms) : Waiter(kKind), arms_(std::move(arms)...) {}

  bool ready() {
    std::uint32_t able = able_arms(std::index_sequence_for<Arms...>());
    for (; able != 0; able &= ~(1U << won)) {
      won = choose(able);
      settled_ = commit_at<0>();
      // A sink may find, once the value is encoded, that it has no room after all.
      if (settled_ != Outcome::pending) [[likely]] {
        outcome = Outcome::done;
        return true;
      }
    }
    if constexpr (kOtherwise == kArms) return false;
    won = kOtherwise;
    outcome = settled_ = Outcome::done;
    return true;
  }
  void enlist() {
    std::apply(
        [this](Arms&... arms) {
          std::uint32_t index = 0;
          (arms.enlist(*this, index++), ...);
        },
        arms_);
  }

  Result<Value> finish() {
    if (outcome == Outcome::cancelled) [[unlikely]]
      return kKind.error(*this);
    return take_at<0>();
  }
  Value take() { return take_at<0>(); }

  static constexpr Deadline deadline{};

 private:
  static constexpr WaiterKind kKind{
      .operation = "select",
      .error = [](Waiter& waiter) { return Error(waiter.strand->cancel_code, "select"); },
      .on_cancel = nullptr,
      .has_arms = true};

  template <std::size_t... I>
  std::uint32_t able_arms(std::index_sequence<I...>) const {
    return ((std::uint32_t{std::get<I>(arms_).ready(*this)} << I) | ...);
  }

  std::uint32_t choose(std::uint32_t able) {
    if constexpr (kUniform) {
      if (const int count = std::popcount(able); count > 1) {
        auto skip = strand->scheduler.prng().below(static_cast<std::uint64_t>(count));
        for (; skip > 0; --skip) able &= able - 1;
      }
    }
    return static_cast<std::uint32_t>(std::countr_zero(able));
  }

  template <std::size_t I>
  Outcome commit_at() {
    if constexpr (I + 1 < kArms) {
      if (won != I) return commit_at<I + 1>();
    }
    return std::get<I>(arms_).commit();
  }

  template <std::size_t I>
  Value take_at() {
    if constexpr (I + 1 < kArms) {
      if (won != I) return take_at<I + 1>();
    }
    if (settled_ != Outcome::pending) outcome = settled_;
    return Value(std::in_place_index<I>, std::get<I>(arms_).finish(*this));
  }

  std::tuple<Arms...> arms_;
  Outcome settled_ = Outcome::pending;  ///< How the arm ended that took place without waiting.
};

}  // namespace tubing::detail
