#include "tubing/sim/scenarios/talks.h"

#include <utility>

#include "tubing/channel/go.h"

namespace tubing::sim {

using namespace std::chrono_literals;

namespace {

/// Counts for as long as it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

TalkCounts& TalkCounts::operator+=(const TalkCounts& other) {
  sent += other.sent;
  received += other.received;
  closed += other.closed;
  stopped += other.stopped;
  reset += other.reset;
  lost += other.lost;
  cancelled += other.cancelled;
  timed_out += other.timed_out;
  flushed += other.flushed;
  selected += other.selected;
  passed += other.passed;
  return *this;
}

Talk& Talks::add() {
  Talk& talk = talks_.emplace_back();
  talk.id = talks_.size() - 1;
  return talk;
}

void Talks::on_received(TalkDirection& direction, std::uint64_t number) {
  ++counts_.received;
  if (number != direction.received)
    fail("value {} came where {} was next", number, direction.received);
  ++direction.received;
  if (direction.received > direction.sent + 1)
    fail("{} values came of {} that were sent", direction.received, direction.sent);
}

void Talks::on_end(const Error& how, const TalkDirection* complete) {
  switch (how.code()) {
    case Code::closed:
      if (!complete) return;
      ++counts_.closed;
      if (!complete->closed) fail("a recv ended with closed, but its sender never closed");
      if (complete->received != complete->sent && !complete->discards)
        fail("a closed channel yielded {} of {} values", complete->received, complete->sent);
      return;
    case Code::stopped: ++counts_.stopped; return;
    case Code::reset: ++counts_.reset; return;
    case Code::lost: ++counts_.lost; return;
    case Code::cancelled: ++counts_.cancelled; return;
    case Code::deadline_exceeded: ++counts_.timed_out; return;
    default: fail("an operation ended with {}", how.text());
  }
}

// The receiver may have its last value in hand and not have counted it yet.
void Talks::on_flushed(const TalkDirection& direction, std::uint64_t sent_before) {
  ++counts_.flushed;
  if (direction.received + 1 < sent_before)
    fail("a flush was done when {} of {} values were taken", direction.received, sent_before);
}

Deadline Talker::draw_deadline() {
  return prng_.chance(1, 8) ? Deadline() : within(std::chrono::milliseconds(prng_.below(300)));
}

template <class V>
V Talker::make_value(std::uint64_t number, End<TalkInner>& kept) {
  const std::uint64_t draw = prng_.below(20);
  V value{};
  value.number = number;
  value.filler.assign(draw == 0 ? prng_.below(40'000) : prng_.below(50), 'x');
  if constexpr (std::is_same_v<V, TalkNote>) {
    if (prng_.chance(1, 10)) {
      Talk& passed = talks_.add();
      auto [stays, travels] = make_duplex<TalkInner, TalkInner>(1 + prng_.below(4));
      value.talk = kept_talk_ = passed.id;
      value.end = std::move(travels);
      kept = std::move(stays);
    }
  }
  return value;
}

void Talker::on_sent(Nursery& n, TalkDirection& direction, End<TalkInner> kept,
                     std::uint64_t kept_talk) {
  ++direction.sent;
  ++talks_.counts().sent;
  if (!kept.tx) return;
  ++talks_.counts().passed;
  n.spawn("keeper", live_end(n, talks_.at(kept_talk), 0, std::move(kept)));
}

template <class V>
void Talker::on_received(Nursery& n, TalkDirection& direction, V value) {
  talks_.on_received(direction, value.number);
  if constexpr (std::is_same_v<V, TalkNote>) {
    if (value.end.tx)
      n.spawn("claimer", live_end(n, talks_.at(value.talk), 1, std::move(value.end)));
  }
}

template <class V>
Task<> Talker::send_one(Nursery& n, TalkDirection& direction, const Sender<V>& tx) {
  End<TalkInner> kept;
  V value = make_value<V>(direction.sent, kept);
  const std::uint64_t kept_talk = kept_talk_;
  const V& left = value;  // By a send that failed: all of it.
  const bool carries = static_cast<bool>(kept.tx);
  Result<> sent;
  if (prng_.chance(1, 4)) {
    Result<bool> tried = tx.try_send(std::move(value));
    if (tried && !*tried) co_return {};
    if (!tried) sent = std::move(tried).error();
  } else {
    sent = co_await tx.send(std::move(value), draw_deadline());
  }
  if (sent) {
    on_sent(n, direction, std::move(kept), kept_talk);
  } else {
    if constexpr (std::is_same_v<V, TalkNote>) {
      if (carries && !left.end.tx) talks_.fail("a send that failed took the end in its value away");
    }
    talks_.on_end(sent.error(), nullptr);
  }
  co_return {};
}

template <class V>
Task<> Talker::recv_one(Nursery& n, TalkDirection& direction, const Receiver<V>& rx) {
  if (prng_.chance(1, 4)) {
    Result<std::optional<V>> tried = rx.try_recv();
    if (!tried) {
      talks_.on_end(tried.error(), &direction);
    } else if (*tried) {
      on_received(n, direction, **std::move(tried));
    }
    co_return {};
  }
  Result<V> value = co_await rx.recv(draw_deadline());
  if (value) {
    on_received(n, direction, *std::move(value));
  } else {
    talks_.on_end(value.error(), &direction);
  }
  co_return {};
}

// A wait that is cancelled from outside.
template <class V>
Task<> Talker::cancel_one(Nursery& n, TalkDirection& direction, const Receiver<V>& rx) {
  (void)co_await nursery([&](Nursery& inner) -> Task<> {
    inner.spawn("cancelled", recv_one(n, direction, rx));
    co_await ok(sleep(std::chrono::milliseconds(prng_.below(20))));
    inner.cancel();
    co_return {};
  });
  co_return {};
}

template <class V>
Task<> Talker::select_one(Nursery& n, Talk& talk, int side, End<V>& end) {
  TalkDirection& out = talk.directions[side];
  TalkDirection& in = talk.directions[1 - side];
  End<TalkInner> kept;
  V value = make_value<V>(out.sent, kept);
  const std::uint64_t kept_talk = kept_talk_;
  const V& left = value;  // By an arm that did not send: all of it.
  const std::size_t filler_bytes = value.filler.size();
  auto chosen = co_await select(recv(end.rx), send(end.tx, std::move(value)),
                                after(std::chrono::milliseconds(prng_.below(300))));
  const bool sent = chosen && chosen->index() == 1 && chosen->template get<1>();
  if (!sent && left.filler.size() != filler_bytes)
    talks_.fail("an arm that did not send took {} bytes of its value", filler_bytes);
  if (!chosen) {
    talks_.on_end(chosen.error(), nullptr);
    co_return {};
  }
  ++talks_.counts().selected;
  if (chosen->index() == 0) {
    Result<V>& received = chosen->template get<0>();
    if (received) {
      on_received(n, in, *std::move(received));
    } else {
      talks_.on_end(received.error(), &in);
    }
  } else if (chosen->index() == 1) {
    if (sent) {
      on_sent(n, out, std::move(kept), kept_talk);
    } else {
      talks_.on_end(chosen->template get<1>().error(), nullptr);
    }
  }
  co_return {};
}

template <class V>
Task<> Talker::flush_one(TalkDirection& direction, const Sender<V>& tx) {
  const std::uint64_t before = direction.sent;
  Result<> flushed = co_await tx.flush(draw_deadline());
  if (flushed) {
    talks_.on_flushed(direction, before);
  } else {
    talks_.on_end(flushed.error(), nullptr);
  }
  co_return {};
}

template <class V>
void Talker::end_one(Talk& talk, int side, End<V>& end, std::uint64_t draw) {
  if (draw < 2) {
    // Only an end that stood open until now is complete by being closed.
    if (!end.tx.core()->ended()) talk.directions[side].closed = true;
    end.tx.close();
  }
  if (draw == 2 || draw == 3) talk.directions[1 - side].discards = true;
  if (draw == 2) end.rx.stop();
  if (draw == 3) end.reset(Code::aborted, "drawn");
}

template <class V>
Task<> Talker::step(Nursery& n, Talk& talk, int side, End<V>& end) {
  TalkDirection& in = talk.directions[1 - side];
  const std::uint64_t draw = prng_.below(100);
  if (draw < 35) co_return co_await send_one(n, talk.directions[side], end.tx);
  if (draw < 70) co_return co_await recv_one(n, in, end.rx);
  if (draw < 80) co_return co_await select_one(n, talk, side, end);
  if (draw < 86) co_return co_await flush_one(talk.directions[side], end.tx);
  if (draw < 90) co_return co_await sleep(std::chrono::milliseconds(prng_.below(100)));
  if (draw < 93) co_return co_await cancel_one(n, in, end.rx);
  if (!calm_) end_one(talk, side, end, draw - 93);
  co_return {};
}

template <class V>
Task<> Talker::live_end(Nursery& n, Talk& talk, int side, End<V> end) {
  const Counted counted(living_);
  const std::uint64_t steps = prng_.below(60);
  for (std::uint64_t i = 0; i < steps || calm_; ++i) {
    while (paused_) co_await ok(sleep(100ms));
    co_await ok(step(n, talk, side, end));
  }
  if (drops_ && prng_.chance(1, 3)) co_return {};  // Dropped as it is.
  if (!end.tx.core()->ended()) talk.directions[side].closed = true;
  end.tx.close();
  // Most drain what still comes, and see the end.
  if (prng_.chance(3, 4)) {
    TalkDirection& in = talk.directions[1 - side];
    while (auto value = co_await end.rx.recv(within(5s))) on_received(n, in, *std::move(value));
    talks_.on_end(end.rx.end() ? Error(Code::closed, "recv") : end.rx.end().error(), &in);
  }
  end.rx.stop();
  co_return {};
}

Task<> Talker::live(Nursery& n, Talk& talk, int side, End<TalkNote> end) {
  return live_end(n, talk, side, std::move(end));
}

Task<> Talker::open(Nursery& n, channel::Network& network, PeerName peer, Deadline deadline) {
  End<TalkNote> end = co_await ok(tubing::open(network, kTalks, std::move(peer), deadline));
  Talk& talk = talks_.add();
  // The first value says which Talk this is: the other end cannot know otherwise.
  co_await ok(end.tx.send({.number = 0, .filler = {}, .talk = talk.id, .end = {}}));
  ++talk.directions[0].sent;
  ++talks_.counts().sent;
  n.spawn("opener", live(n, talk, 0, std::move(end)));
  co_return {};
}

Task<> Talker::serve(Nursery& n, End<TalkNote>& end) {
  auto first = co_await end.rx.recv();
  if (!first) co_return {};
  Talk& talk = talks_.at(first->talk);
  talks_.on_received(talk.directions[0], first->number);
  End<TalkNote> whole{end.tx, end.rx};
  co_await ok(live(n, talk, 1, std::move(whole)));
  // A handler that returns ok closes.
  if (!end.tx.core()->ended()) talk.directions[1].closed = true;
  co_return {};
}

}  // namespace tubing::sim
