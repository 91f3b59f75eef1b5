// StateSpace: the states and steps of a model as numbers, for a search that compares them often.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tubing/channel/codec.h"
#include "tubing/channel/json.h"
#include "tubing/sim/detail/heap_bytes.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/running_hash.h"

namespace tubing::sim::detail {

/// Numbers for values of one type, by the hash of 128 bits of what they encode to.
template <class T>
class Numbering {
 public:
  /// Returns: the number that an equal value has, or the next one.
  std::uint32_t number(const T& value);

  const T& operator[](std::uint32_t number) const { return values_[number]; }
  std::size_t size() const { return values_.size(); }
  /// The memory that they take, about.
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Key {
    std::uint64_t high;
    std::uint64_t low;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct LowHalf {
    std::size_t operator()(const Key& key) const { return key.low; }
  };

  /// Of a value's number: a node and its share of the buckets, also while they become more.
  static constexpr std::uint64_t kNumberBytes = block_bytes(8 + sizeof(Key) + 16) + 24;

  std::deque<T> values_;  ///< A vector would take three times as much while it grows.
  std::unordered_map<Key, std::uint32_t, LowHalf> numbers_;
  ByteBuffer encoded_;
  std::uint64_t bytes_ = 0;
};

/// What a search asks of a model, whatever its types are.
class StateSpace {
 public:
  using State = std::uint32_t;
  using Step = std::uint32_t;
  static constexpr State kNone = ~State{0};
  /// Of the model's: none, those that are certain, and what is but likely too.
  enum class Hints : std::uint8_t { none, certain, likely };

  /// `operations`: of the part that is searched; how many results of `apply` are kept follows.
  explicit StateSpace(std::size_t operations);
  virtual ~StateSpace() = default;
  StateSpace(const StateSpace&) = delete;
  StateSpace& operator=(const StateSpace&) = delete;

  /// Returns: the state behind the step; kNone where the step cannot happen in this state.
  State apply(State state, Step step) {
    Kept& kept = kept_[place(state, step)];
    if (kept.state != state || kept.step != step) [[unlikely]]
      kept = {.state = state, .step = step, .after = compute(state, step)};
    return kept.after;
  }
  /// Which steps count as ones that cannot be; at first those that lead nowhere. A search of other
  /// operations than the part's has no use for hints.
  void take_hints(Hints hints);
  /// Whether the model knows detours.
  virtual bool knows_detours() const = 0;
  virtual State begin() = 0;
  virtual std::string told(State state) const = 0;
  /// The memory that states, steps, what is kept of them and the model's own tables take, about.
  std::uint64_t bytes() const { return kept_.size() * sizeof(Kept) + model_bytes(); }

 protected:
  virtual std::uint64_t model_bytes() const = 0;
  virtual State compute(State state, Step step) = 0;
  Hints hints() const { return hints_; }

 private:
  struct Kept {
    State state = kNone;
    Step step = 0;
    State after = kNone;
  };

  std::size_t place(State state, Step step) const {
    const std::uint64_t mixed =
        ((std::uint64_t{state} << 32) | step) * std::uint64_t{0x9e3779b97f4a7c15};
    return (mixed >> 32) & (kept_.size() - 1);
  }

  Hints hints_ = Hints::certain;
  std::vector<Kept> kept_;  ///< A power of two; a later result takes the place of an earlier one.
};

/// The states of one part of a history.
/// Requires: the model outlives it.
template <Model M>
class ModelSpace final : public StateSpace {
 public:
  ModelSpace(M& model, std::size_t operations) : StateSpace(operations), model_(model) {}

  Step step(const typename M::Step& step) { return steps_.number(step); }
  State begin() override { return states_.number(model_.begin()); }
  std::string told(State state) const override;
  bool knows_detours() const override { return kKnowsDetours; }

 protected:
  std::uint64_t model_bytes() const override {
    std::uint64_t bytes = states_.bytes() + steps_.bytes();
    if constexpr (requires(const M& model) { model.bytes(); })
      bytes += std::as_const(model_).bytes();
    return bytes;
  }
  State compute(State state, Step step) override {
    typename M::State after = states_[state];
    if (!model_.apply(after, steps_[step])) return kNone;
    if constexpr (requires { model_.leads_nowhere(after, steps_[step], after); })
      if (hints() != Hints::none && model_.leads_nowhere(states_[state], steps_[step], after))
        return kNone;
    if constexpr (kKnowsDetours)
      if (hints() == Hints::likely && model_.is_detour(states_[state], steps_[step], after))
        return kNone;
    return states_.number(after);
  }

 private:
  static constexpr bool kKnowsDetours =
      requires(const M& model, const typename M::State& state, const typename M::Step& step) {
        model.is_detour(state, step, state);
      };

  M& model_;
  Numbering<typename M::State> states_;
  Numbering<typename M::Step> steps_;
};

template <class T>
std::uint32_t Numbering<T>::number(const T& value) {
  encoded_.consume(encoded_.size());
  encode(value, encoded_);
  RunningHash hash;
  hash.add(encoded_.view());
  const auto next = static_cast<std::uint32_t>(values_.size());
  const auto [found, is_new] = numbers_.try_emplace({hash.high(), hash.low()}, next);
  if (!is_new) return found->second;
  values_.push_back(value);
  bytes_ += sizeof(T) + heap_bytes(values_.back()) + kNumberBytes;
  return next;
}

template <Model M>
std::string ModelSpace<M>::told(State state) const {
  if constexpr (requires { model_.told(states_[state]); }) {
    return model_.told(states_[state]);
  } else {
    return to_json(states_[state]);
  }
}

}  // namespace tubing::sim::detail
