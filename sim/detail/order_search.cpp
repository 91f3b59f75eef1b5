#include "tubing/sim/detail/order_search.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace tubing::sim::detail {
namespace {

constexpr std::size_t kBitsPerWord = 64;

std::size_t words_for(std::size_t bits) { return (bits + kBitsPerWord - 1) / kBitsPerWord; }

}  // namespace

OrderSearch::OrderSearch(StateSpace& space, std::span<const SearchOperation> operations)
    : space_(space),
      operations_(operations),
      word_(operations.size()),
      bit_(operations.size()),
      class_(operations.size()),
      before_({}),
      needing_({}),
      behind_({}) {
  sort_unknown();
  order_events();
  give_places();
  before_ = needing_ = behind_ = ConfigurationSet(shape_);
  current_.resize(shape_.words());
  next_.resize(shape_.words());
}

void OrderSearch::sort_unknown() {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (operations_[i].unknown) order.push_back(i);
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(operations_[i].called, i); });
  // One that has to wait for another is like no other.
  std::map<std::pair<StateSpace::Step, std::size_t>, std::uint32_t> classes;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t i = order[place];
    word_[i] = static_cast<std::uint32_t>(1 + place / kBitsPerWord);
    bit_[i] = static_cast<std::uint8_t>(place % kBitsPerWord);
    const std::size_t alone = operations_[i].after == SearchOperation::kNone ? 0 : i + 1;
    const auto next = static_cast<std::uint32_t>(classes_.size());
    const auto [found, is_new] = classes.try_emplace({operations_[i].step, alone}, next);
    if (is_new) classes_.push_back({.step = operations_[i].step, .operations = {}});
    class_[i] = found->second;
    classes_[found->second].operations.push_back(i);
  }
  shape_.unknown_words = words_for(order.size());
}

void OrderSearch::order_events() {
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    events_.push_back({.time = operations_[i].called, .operation = i});
    if (!operations_[i].unknown)
      events_.push_back({.time = operations_[i].returned, .is_return = true, .operation = i});
  }
  // What happens in one instant overlaps: all calls come before all returns.
  std::ranges::sort(events_, {}, [](const Event& event) {
    return std::tuple(event.time, event.is_return, event.operation);
  });
}

void OrderSearch::give_places() {
  std::vector<std::size_t> free;
  std::size_t places = 0;
  std::vector<std::size_t> place_of(operations_.size());
  for (const Event& event : events_) {
    const std::size_t i = event.operation;
    if (operations_[i].unknown) continue;
    if (event.is_return) {
      free.push_back(place_of[i]);
      continue;
    }
    if (free.empty()) free.push_back(places++);
    place_of[i] = free.back();
    free.pop_back();
    word_[i] = static_cast<std::uint32_t>(shape_.pending_begin() + place_of[i] / kBitsPerWord);
    bit_[i] = static_cast<std::uint8_t>(place_of[i] % kBitsPerWord);
  }
  shape_.pending_words = words_for(places);
}

void OrderSearch::begin_at(std::span<const Standing> standings) {
  readers_.clear();
  writers_.clear();
  returned_.assign(operations_.size(), false);
  for (Class& one : classes_) one.called = 0;
  steps_ = peak_ = 0;
  compared_before_ = comparisons();
  died_at_ = SearchOperation::kNone;
  before_.clear();
  needing_.clear();
  behind_.clear();
  const Standing first{.state = space_.begin(), .taken = {}};
  if (standings.empty()) standings = {&first, 1};
  for (const Standing& standing : standings) {
    std::ranges::fill(next_, 0);
    next_[0] = standing.state;
    for (const std::size_t operation : standing.taken) take(operation);
    before_.insert(next_.data());
  }
}

SearchEnd OrderSearch::run(std::size_t width, const SearchLimits& limits,
                           std::span<const Standing> standings) {
  begin_at(standings);
  bool narrowed = false;
  bool crowded = false;
  for (const Event& event : events_) {
    if (!event.is_return) {
      if (on_call_) on_call_(event.operation);
      call(event.operation);
      continue;
    }
    const SearchEnd end = take_return(event.operation, width, limits);
    if (end == SearchEnd::too_much_work || end == SearchEnd::too_much_memory) return end;
    narrowed |= end == SearchEnd::too_narrow;
    crowded |= end == SearchEnd::too_many_configurations;
    if (behind_.alive() == 0) {
      died_at_ = event.operation;
      return crowded    ? SearchEnd::too_many_configurations
             : narrowed ? SearchEnd::too_narrow
                        : SearchEnd::none;
    }
    std::swap(before_, behind_);
    returned_[event.operation] = true;
    std::erase(operations_[event.operation].changes_nothing ? readers_ : writers_, event.operation);
  }
  return SearchEnd::found;
}

void OrderSearch::call(std::size_t operation) {
  if (operations_[operation].unknown)
    ++classes_[class_[operation]].called;
  else
    (operations_[operation].changes_nothing ? readers_ : writers_).push_back(operation);
}

SearchEnd OrderSearch::take_return(std::size_t operation, std::size_t width,
                                   const SearchLimits& limits) {
  needing_.clear();
  behind_.clear();
  for (std::size_t at = 0; at < before_.size(); ++at) {
    if (!before_.is_alive(at)) continue;
    std::copy_n(before_[at], next_.size(), next_.begin());
    read_what_fits();
    keep(operation);
  }
  SearchEnd end = SearchEnd::found;
  // Those that `expand` adds are taken in their turn: fewer steps come before more.
  for (std::size_t at = 0; at < needing_.size(); ++at) {
    if (!needing_.is_alive(at)) continue;
    if (behind_.alive() >= width) {
      end = SearchEnd::too_narrow;
      break;
    }
    if (needing_.size() + behind_.size() >= limits.configurations_max) {
      end = SearchEnd::too_many_configurations;
      break;
    }
    if (work() >= limits.work_max) return SearchEnd::too_much_work;
    if (bytes() >= limits.memory_bytes_max) return SearchEnd::too_much_memory;
    std::copy_n(needing_[at], current_.size(), current_.begin());
    expand(operation);
  }
  peak_ = std::max(peak_, needing_.size() + behind_.size());
  return end;
}

void OrderSearch::expand(std::size_t operation) {
  // Alone first, or a reader: it did not fit, or it would not be needed any more.
  if (!operations_[operation].changes_nothing) try_step(operation, operation, false);
  for (const std::size_t other : writers_)
    if (other != operation) try_step(other, operation, false);
  for (const Class& one : classes_) {
    for (std::size_t i = 0; i < one.called; ++i) {
      const std::size_t other = one.operations[i];
      if (((current_[word_[other]] >> bit_[other]) & 1) != 0) continue;
      try_step(other, operation, true);
      break;
    }
  }
}

void OrderSearch::try_step(std::size_t operation, std::size_t needed, bool skips_same_state) {
  std::copy(current_.begin(), current_.end(), next_.begin());
  if (is_taken(operation) || !is_free(operation)) return;
  ++steps_;
  const auto state = static_cast<StateSpace::State>(current_[0]);
  const StateSpace::State after = space_.apply(state, operations_[operation].step);
  if (after == StateSpace::kNone || (skips_same_state && after == state)) return;
  next_[0] = after;
  take(operation);
  read_what_fits();
  keep(needed);
}

void OrderSearch::keep(std::size_t needed) {
  if (!is_taken(needed)) {
    needing_.insert(next_.data());
    return;
  }
  // Its place is given to another that is called later.
  next_[word_[needed]] &= ~(std::uint64_t{1} << bit_[needed]);
  behind_.insert(next_.data());
}

void OrderSearch::read_what_fits() {
  const auto state = static_cast<StateSpace::State>(next_[0]);
  for (const std::size_t reader : readers_) {
    if (is_taken(reader) || !is_free(reader)) continue;
    ++steps_;
    if (space_.apply(state, operations_[reader].step) != StateSpace::kNone) take(reader);
  }
}

std::vector<StateSpace::State> OrderSearch::last_states() const {
  std::vector<StateSpace::State> states;
  states.reserve(needing_.size());
  for (std::size_t at = 0; at < needing_.size(); ++at)
    states.push_back(static_cast<StateSpace::State>(needing_[at][0]));
  std::ranges::sort(states);
  const auto repeated = std::ranges::unique(states);
  states.erase(repeated.begin(), repeated.end());
  return states;
}

std::vector<Standing> OrderSearch::standings() const {
  std::vector<std::size_t> open = readers_;
  open.insert(open.end(), writers_.begin(), writers_.end());
  for (const Class& one : classes_)
    for (std::size_t i = 0; i < one.called; ++i) open.push_back(one.operations[i]);
  std::vector<Standing> standings;
  for (std::size_t at = 0; at < before_.size(); ++at) {
    if (!before_.is_alive(at)) continue;
    const std::uint64_t* words = before_[at];
    Standing& standing = standings.emplace_back();
    standing.state = static_cast<StateSpace::State>(words[0]);
    for (const std::size_t operation : open)
      if (((words[word_[operation]] >> bit_[operation]) & 1) != 0)
        standing.taken.push_back(operation);
  }
  return standings;
}

}  // namespace tubing::sim::detail
