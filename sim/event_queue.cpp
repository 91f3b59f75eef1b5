#include "tubing/sim/event_queue.h"

#include <algorithm>

namespace tubing::sim {
namespace {

constexpr std::size_t kChildren = 4;

}  // namespace

EventQueue::~EventQueue() {
  for (const Slot& slot : heap_) forget(*slot.node);
}

EventQueue::Event EventQueue::schedule(Time at, Callback callback) {
  if (free_.empty()) free_.push_back(&nodes_.emplace_back(this));
  Node& node = *free_.back();
  free_.pop_back();
  node.callback = std::move(callback);
  heap_.push_back({.at = at, .sequence = sequence_++, .node = &node});
  sift_up(heap_.size() - 1);
  return Event(node);
}

void EventQueue::run_due(Time now) {
  const std::uint64_t before = sequence_;
  while (!heap_.empty() && heap_.front().at <= now && heap_.front().sequence < before) {
    Node& node = *heap_.front().node;
    Callback callback = std::move(node.callback);
    remove(node);
    callback();
  }
}

void EventQueue::clear() {
  while (!heap_.empty()) remove(*heap_.back().node);
}

void EventQueue::remove(Node& node) {
  forget(node);
  remove_slot(node.slot);
  node.callback = nullptr;
  free_.push_back(&node);
}

void EventQueue::remove_slot(std::size_t index) {
  const Slot last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  place(index, last);
  sift_up(index);
  sift_down(last.node->slot);
}

void EventQueue::sift_up(std::size_t index) {
  const Slot rising = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / kChildren;
    if (!earlier(rising, heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, rising);
}

void EventQueue::sift_down(std::size_t index) {
  const Slot sinking = heap_[index];
  for (;;) {
    const std::size_t first = index * kChildren + 1;
    if (first >= heap_.size()) break;
    const std::size_t behind = std::min(first + kChildren, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < behind; ++child)
      if (earlier(heap_[child], heap_[least])) least = child;
    if (!earlier(heap_[least], sinking)) break;
    place(index, heap_[least]);
    index = least;
  }
  place(index, sinking);
}

}  // namespace tubing::sim
