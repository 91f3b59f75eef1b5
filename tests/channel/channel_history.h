// History: what random programs did to channels, and the check that a queue could have done it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tubing/channel/base/error.h"

namespace tubing::test {

/// A value that exists once: whoever it is moved from keeps the id -1.
struct Item {
  explicit Item(int of_id) : id(of_id) {}
  Item(Item&& other) noexcept : id(std::exchange(other.id, -1)) {}
  Item& operator=(Item&& other) noexcept {
    id = std::exchange(other.id, -1);
    return *this;
  }
  int id;
};

/// The life of one value: the span of its send, the span of its recv.
struct Passage {
  std::size_t channel = 0;
  int send_begin = 0;
  int send_end = 0;
  int recv_begin = 0;
  int recv_end = 0;
  Code sent = Code::unknown;  ///< `unknown` while the send goes on.
  bool received = false;
};

/// Each event takes the next number, so that two spans overlap or one comes before the other.
class History {
 public:
  explicit History(std::size_t channels) : closed_(channels), drained_(channels) {}

  int tick() { return ++clock_; }
  /// A send begins. Returns the id of its value.
  int send_begins(std::size_t channel) {
    passages_.push_back({.channel = channel, .send_begin = tick()});
    return static_cast<int>(passages_.size()) - 1;
  }
  void send_ends(const Item& item, int id, Code code) {
    Passage& passage = at(id);
    passage.send_end = tick();
    passage.sent = code;
    if (item.id != (code == Code::ok ? -1 : id)) fail("a send that failed took its value", id);
    if (code == Code::closed && closed_[passage.channel] == 0) fail("nobody closed", id);
    if (code == Code::ok && closed_[passage.channel] != 0 &&
        closed_[passage.channel] < passage.send_begin)
      fail("a send succeeds on a closed channel", id);
  }
  void recv_ends(std::size_t channel, int begin, int id) {
    if (id < 0 || id >= static_cast<int>(passages_.size())) return fail("no such value", id);
    Passage& passage = at(id);
    if (passage.received) fail("a value comes twice", id);
    if (passage.channel != channel) fail("a value comes from another channel", id);
    if (drained_[channel] != 0 && drained_[channel] < begin)
      fail("a value comes after the end", id);
    passage.received = true;
    passage.recv_begin = begin;
    passage.recv_end = tick();
  }
  void recv_finds_end(std::size_t channel) {
    if (closed_[channel] == 0) fail("nobody closed", -1);
    if (drained_[channel] == 0) drained_[channel] = tick();
  }
  void closes(std::size_t channel) {
    if (closed_[channel] == 0) closed_[channel] = tick();
  }

  /// Requires: every strand has ended and every channel was drained.
  /// Returns the first broken promise, or nothing.
  std::string verdict() {
    for (std::size_t x = 0; x < passages_.size(); ++x) {
      const Passage& a = passages_[x];
      const int id = static_cast<int>(x);
      if (a.sent == Code::unknown) fail("a send never ended", id);
      if ((a.sent == Code::ok) != a.received) fail("a value is lost or came unsent", id);
      for (const Passage& b : passages_) {
        if (!a.received || !b.received || a.channel != b.channel) continue;
        if (a.send_end < b.send_begin && b.recv_end < a.recv_begin)
          fail("a later value overtook", id);
      }
    }
    return broken_;
  }
  const std::string& broken() const { return broken_; }
  std::size_t values() const { return passages_.size(); }

 private:
  Passage& at(int id) { return passages_[static_cast<std::size_t>(id)]; }
  void fail(const char* what, int id) {
    if (broken_.empty()) broken_ = std::string(what) + ": value " + std::to_string(id);
  }

  int clock_ = 0;
  std::vector<Passage> passages_;
  std::vector<int> closed_;   ///< When each channel was closed; 0 before.
  std::vector<int> drained_;  ///< When a recv first found each channel's end; 0 before.
  std::string broken_;
};

}  // namespace tubing::test
