// EventQueue: what a simulated process will meet, in the order in which it meets it.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// Callbacks in the order (time, sequence of scheduling). The nodes are used again: a queue that
/// has grown allocates nothing for an event whose callback captures up to three words. An Event
/// that outlives its queue is over.
///
/// Invariant: a node whose callback is still to come and the Event that holds it know each other.
class EventQueue {
 public:
  using Callback = std::move_only_function<void()>;

 private:
  struct Node;

 public:
  /// One scheduled callback. Dropping it cancels it.
  class [[nodiscard]] Event {
   public:
    Event() = default;
    Event(Event&& other) noexcept : node_(std::exchange(other.node_, nullptr)) { tell_node(); }
    /// What it held before is the other's.
    Event& operator=(Event&& other) noexcept {
      std::swap(node_, other.node_);
      tell_node();
      other.tell_node();
      return *this;
    }
    ~Event() { cancel(); }

    /// The callback does not come any more; does nothing once it came.
    void cancel() {
      if (pending()) node_->queue->remove(*node_);
    }
    /// Whether the callback is still to come.
    bool pending() const { return node_ != nullptr; }
    /// Lets the callback come although nobody holds the Event any more.
    void release() {
      if (pending()) std::exchange(node_, nullptr)->holder = nullptr;
    }

   private:
    friend class EventQueue;
    explicit Event(Node& node) : node_(&node) { tell_node(); }
    void tell_node() {
      if (pending()) node_->holder = this;
    }

    Node* node_ = nullptr;  ///< Null when the callback came, or does not come.
  };

  EventQueue() = default;
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  Event schedule(Time at, Callback callback);

  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  /// `Time::max()` where there is none.
  Time next() const { return heap_.empty() ? Time::max() : heap_.front().at; }
  /// Calls what is due at `now`, but nothing that is scheduled meanwhile: it ends.
  void run_due(Time now);
  /// Drops every event.
  void clear();

 private:
  struct Node {
    EventQueue* queue;
    Event* holder = nullptr;  ///< Null when the event is over, or was released.
    std::size_t slot = 0;     ///< Its place in the heap, until the event is over.
    Callback callback = nullptr;
  };
  struct Slot {
    Time at;
    std::uint64_t sequence;
    Node* node;
  };

  static bool earlier(const Slot& a, const Slot& b) {
    return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
  }
  static void forget(Node& node) {
    if (node.holder != nullptr) std::exchange(node.holder, nullptr)->node_ = nullptr;
  }
  void remove(Node& node);
  void remove_slot(std::size_t index);
  void place(std::size_t index, const Slot& slot) {
    heap_[index] = slot;
    slot.node->slot = index;
  }
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::uint64_t sequence_ = 0;
  std::vector<Slot> heap_;  ///< Each node has up to four children.
  std::deque<Node> nodes_;
  std::vector<Node*> free_;
};

}  // namespace tubing::sim
