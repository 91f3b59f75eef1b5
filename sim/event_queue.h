// EventQueue: what a simulated process will meet, in the order in which it meets it.
#pragma once

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// Callbacks in the order (time, sequence of scheduling). The nodes are used again: a queue that
/// has grown allocates nothing for an event whose callback captures up to three words.
///
/// Requires: it outlives its Events.
class EventQueue {
 public:
  using Callback = std::move_only_function<void()>;

 private:
  struct Node {
    static constexpr std::size_t kNowhere = ~std::size_t{0};

    std::uint64_t sequence = 0;   ///< Of the event that it holds, or last held.
    std::size_t slot = kNowhere;  ///< Its place in the heap; kNowhere when the event is over.
    Callback callback = nullptr;
  };

 public:
  /// One scheduled callback. Dropping it cancels it.
  class [[nodiscard]] Event {
   public:
    Event() = default;
    Event(Event&& other) noexcept
        : queue_(std::exchange(other.queue_, nullptr)),
          node_(other.node_),
          sequence_(other.sequence_) {}
    Event& operator=(Event&& other) noexcept {
      std::swap(queue_, other.queue_);
      std::swap(node_, other.node_);
      std::swap(sequence_, other.sequence_);
      return *this;
    }
    ~Event() { cancel(); }

    /// The callback does not come any more; does nothing once it came.
    void cancel() {
      if (pending()) queue_->remove(*node_);
      queue_ = nullptr;
    }
    /// Whether the callback is still to come.
    bool pending() const {
      return queue_ != nullptr && node_->sequence == sequence_ && node_->slot != Node::kNowhere;
    }
    /// Lets the callback come although nobody holds the Event any more.
    void release() { queue_ = nullptr; }

   private:
    friend class EventQueue;
    Event(EventQueue& queue, Node& node) : queue_(&queue), node_(&node), sequence_(node.sequence) {}

    EventQueue* queue_ = nullptr;
    Node* node_ = nullptr;
    std::uint64_t sequence_ = 0;
  };

  EventQueue() = default;
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
  struct Slot {
    Time at;
    std::uint64_t sequence;
    Node* node;
  };

  static bool earlier(const Slot& a, const Slot& b) {
    return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
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
