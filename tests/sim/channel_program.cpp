#include "tests/sim/channel_program.h"

#include <fmt/format.h>

#include <deque>

#include "tests/rpc/node_hosts.h"
#include "tubing/channel/go.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kProgramTime = 20s;  ///< After that everything that still waits is cancelled.

/// One direction of one channel, as both ends know it together.
struct Direction {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  bool closed = false;    ///< Its sender said complete.
  bool discards = false;  ///< Its receiver wanted no more: the rest need not come.
};

/// One channel: direction 0 is from the end that opened or made it.
struct Talk {
  std::uint64_t id = 0;
  Direction directions[2];
};

/// What travels in a channel that itself came in a message.
struct Inner {
  std::uint64_t number = 0;
  std::string filler;
  static constexpr std::string_view type_name = "program.Inner";
  static constexpr auto fields = tubing::fields("number", &Inner::number, "filler", &Inner::filler);
};

/// What travels otherwise; `end` may be an end of a further channel, with the number of its Talk.
struct Note {
  std::uint64_t number = 0;
  std::string filler;
  std::uint64_t talk = 0;
  Duplex<Inner, Inner> end;
  static constexpr std::string_view type_name = "program.Note";
  static constexpr auto fields = tubing::fields("number", &Note::number, "filler", &Note::filler,
                                                "talk", &Note::talk, "end", &Note::end);
};

inline constexpr Service<Note, Note> kProgram{"program.v1", 4};

class Program {
 public:
  Program(SimRun& sim, Place place, ProgramCounts& counts)
      : sim_(sim), place_(place), counts_(counts), prng_(sim.workload().next()) {}

  Task<> run();
  const std::string& fault() const { return fault_; }

 private:
  template <class V>
  using End = Duplex<V, V>;

  Task<> run_in_process();
  Task<> run_over_link();
  Task<> live_between(Nursery& n, test::Host& server, test::Host& client);
  Task<> open_channels(Nursery& n, rpc::Node& node);
  Task<> disturb(std::optional<rpc::Node>& client);
  void check_credit(const rpc::Node& client, const rpc::Node& server);
  void check_credit(const rpc::ChannelStats& from, const rpc::ChannelStats& to);

  /// One end's random life. `side` 0 is the end that made the channel.
  template <class V>
  Task<> live(Nursery& n, Talk& talk, int side, End<V> end);
  template <class V>
  Task<> step(Nursery& n, Talk& talk, int side, End<V>& end);
  template <class V>
  Task<> send_one(Nursery& n, Talk& talk, Direction& direction, const Sender<V>& tx);
  template <class V>
  Task<> recv_one(Nursery& n, Direction& direction, const Receiver<V>& rx);
  template <class V>
  Task<> select_one(Nursery& n, Talk& talk, int side, End<V>& end);
  template <class V>
  Task<> flush_one(Direction& direction, const Sender<V>& tx);

  template <class V>
  V make_value(Talk& talk, std::uint64_t number, End<Inner>& kept);
  template <class V>
  void on_received(Nursery& n, Direction& direction, V value);
  void on_sent(Nursery& n, Direction& direction, End<Inner> kept, std::uint64_t kept_talk);
  void on_end(const Error& how, const Direction* complete);
  Talk& add_talk() {
    Talk& talk = talks_.emplace_back();
    talk.id = talks_.size() - 1;
    return talk;
  }
  Deadline draw_deadline() {
    return prng_.chance(1, 8) ? Deadline() : within(std::chrono::milliseconds(prng_.below(300)));
  }
  template <class... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    if (fault_.empty()) fault_ = fmt::format(format, std::forward<Args>(args)...);
  }

  SimRun& sim_;
  const Place place_;
  ProgramCounts& counts_;
  Prng prng_;
  std::deque<Talk> talks_;
  bool calm_ = true;             ///< At first nothing ends, so that both sides can be compared.
  bool paused_ = false;          ///< Nobody begins anything.
  std::uint64_t kept_talk_ = 0;  ///< Of the end that `make_value` put into the last value.
  std::string fault_;
};

void Program::on_end(const Error& how, const Direction* complete) {
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

template <class V>
V Program::make_value(Talk& talk, std::uint64_t number, End<Inner>& kept) {
  const std::uint64_t draw = prng_.below(20);
  V value{};
  value.number = number;
  value.filler.assign(draw == 0 ? prng_.below(40'000) : prng_.below(50), 'x');
  if constexpr (std::is_same_v<V, Note>) {
    if (prng_.chance(1, 10)) {
      Talk& passed = add_talk();
      auto [stays, travels] = make_duplex<Inner, Inner>(1 + prng_.below(4));
      value.talk = kept_talk_ = passed.id;
      value.end = std::move(travels);
      kept = std::move(stays);
    }
  }
  return value;
}

void Program::on_sent(Nursery& n, Direction& direction, End<Inner> kept, std::uint64_t kept_talk) {
  ++direction.sent;
  ++counts_.sent;
  if (!kept.tx) return;
  ++counts_.passed;
  n.spawn("keeper", live(n, talks_[kept_talk], 0, std::move(kept)));
}

template <class V>
void Program::on_received(Nursery& n, Direction& direction, V value) {
  ++counts_.received;
  if (value.number != direction.received)
    fail("value {} came where {} was next", value.number, direction.received);
  ++direction.received;
  if (direction.received > direction.sent + 1)
    fail("{} values came of {} that were sent", direction.received, direction.sent);
  if constexpr (std::is_same_v<V, Note>) {
    if (value.end.tx) n.spawn("claimer", live(n, talks_[value.talk], 1, std::move(value.end)));
  }
}

template <class V>
Task<> Program::send_one(Nursery& n, Talk& talk, Direction& direction, const Sender<V>& tx) {
  End<Inner> kept;
  V value = make_value<V>(talk, direction.sent, kept);
  const std::uint64_t kept_talk = kept_talk_;
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
    if constexpr (std::is_same_v<V, Note>) {
      if (carries && !value.end.tx) fail("a send that failed took the end in its value away");
    }
    on_end(sent.error(), nullptr);
  }
  co_return {};
}

template <class V>
Task<> Program::recv_one(Nursery& n, Direction& direction, const Receiver<V>& rx) {
  if (prng_.chance(1, 4)) {
    Result<std::optional<V>> tried = rx.try_recv();
    if (!tried) {
      on_end(tried.error(), &direction);
    } else if (*tried) {
      on_received(n, direction, **std::move(tried));
    }
    co_return {};
  }
  Result<V> value = co_await rx.recv(draw_deadline());
  if (value) {
    on_received(n, direction, *std::move(value));
  } else {
    on_end(value.error(), &direction);
  }
  co_return {};
}

template <class V>
Task<> Program::select_one(Nursery& n, Talk& talk, int side, End<V>& end) {
  Direction& out = talk.directions[side];
  Direction& in = talk.directions[1 - side];
  End<Inner> kept;
  V value = make_value<V>(talk, out.sent, kept);
  const std::uint64_t kept_talk = kept_talk_;
  auto chosen = co_await select(recv(end.rx), send(end.tx, std::move(value)),
                                after(std::chrono::milliseconds(prng_.below(300))));
  if (!chosen) {
    on_end(chosen.error(), nullptr);
    co_return {};
  }
  ++counts_.selected;
  if (chosen->index() == 0) {
    Result<V>& received = chosen->template get<0>();
    if (received) {
      on_received(n, in, *std::move(received));
    } else {
      on_end(received.error(), &in);
    }
  } else if (chosen->index() == 1) {
    Result<>& sent = chosen->template get<1>();
    if (sent) {
      on_sent(n, out, std::move(kept), kept_talk);
    } else {
      on_end(sent.error(), nullptr);
    }
  }
  co_return {};
}

template <class V>
Task<> Program::flush_one(Direction& direction, const Sender<V>& tx) {
  const std::uint64_t before = direction.sent;
  Result<> flushed = co_await tx.flush(draw_deadline());
  if (!flushed) {
    on_end(flushed.error(), nullptr);
    co_return {};
  }
  ++counts_.flushed;
  // The receiver may have its last value in hand and not have counted it yet.
  if (direction.received + 1 < before)
    fail("a flush was done when {} of {} values were taken", direction.received, before);
  co_return {};
}

template <class V>
Task<> Program::step(Nursery& n, Talk& talk, int side, End<V>& end) {
  Direction& out = talk.directions[side];
  const std::uint64_t draw = prng_.below(100);
  if (draw < 35) co_return co_await send_one(n, talk, out, end.tx);
  if (draw < 70) co_return co_await recv_one(n, talk.directions[1 - side], end.rx);
  if (draw < 80) co_return co_await select_one(n, talk, side, end);
  if (draw < 86) co_return co_await flush_one(out, end.tx);
  if (draw < 90) co_return co_await sleep(std::chrono::milliseconds(prng_.below(100)));
  if (draw < 93) {
    // A wait that is cancelled from outside.
    (void)co_await nursery([&](Nursery& inner) -> Task<> {
      inner.spawn("cancelled", recv_one(n, talk.directions[1 - side], end.rx));
      co_await ok(sleep(std::chrono::milliseconds(prng_.below(20))));
      inner.cancel();
      co_return {};
    });
    co_return {};
  }
  if (calm_) co_return {};
  if (draw < 95) {
    // Only an end that stood open until now is complete by being closed.
    if (!end.tx.core()->ended()) out.closed = true;
    end.tx.close();
  }
  if (draw != 95 && draw != 96) co_return {};
  talk.directions[1 - side].discards = true;
  if (draw == 95) end.rx.stop();
  if (draw == 96) end.reset(Code::aborted, "drawn");
  co_return {};
}

template <class V>
Task<> Program::live(Nursery& n, Talk& talk, int side, End<V> end) {
  const std::uint64_t steps = prng_.below(60);
  for (std::uint64_t i = 0; i < steps || calm_; ++i) {
    while (paused_) co_await ok(sleep(100ms));
    co_await ok(step(n, talk, side, end));
  }
  if (place_ == Place::two_nodes && prng_.chance(1, 3)) co_return {};  // Dropped as it is.
  if (!end.tx.core()->ended()) talk.directions[side].closed = true;
  end.tx.close();
  // Most drain what still comes, and see the end.
  if (prng_.chance(3, 4)) {
    Direction& in = talk.directions[1 - side];
    while (auto value = co_await end.rx.recv(within(5s))) on_received(n, in, *std::move(value));
    on_end(end.rx.end() ? Error(Code::closed, "recv") : end.rx.end().error(), &in);
  }
  end.rx.stop();
  co_return {};
}

Task<> Program::run_in_process() {
  calm_ = false;
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    const std::uint64_t channels = 1 + prng_.below(3);
    for (std::uint64_t i = 0; i < channels; ++i) {
      Talk& talk = add_talk();
      auto [a, b] = make_duplex<Note, Note>(prng_.below(5));
      n.spawn("first", live(n, talk, 0, std::move(a)));
      n.spawn("second", live(n, talk, 1, std::move(b)));
    }
    co_await ok(sleep(kProgramTime));
    n.cancel();
    co_return {};
  });
}

Task<> Program::open_channels(Nursery& n, rpc::Node& node) {
  const std::uint64_t channels = 1 + prng_.below(3);
  for (std::uint64_t i = 0; i < channels; ++i) {
    auto end = co_await open(node, kProgram, {"server@" + test::kServerAddress.text()});
    if (!end) co_return {};
    Talk& talk = add_talk();
    // The first value says which Talk this is: the other end cannot know otherwise.
    const Result<> sent =
        co_await end->tx.send({.number = 0, .filler = {}, .talk = talk.id, .end = {}});
    if (!sent) co_return {};
    ++talk.directions[0].sent;
    n.spawn("opener", live(n, talk, 0, *std::move(end)));
  }
  co_return {};
}

/// What both sides hold of each channel, when nothing is under way.
void Program::check_credit(const rpc::Node& client, const rpc::Node& server) {
  const rpc::NodeStats ours = client.stats();
  const rpc::NodeStats theirs = server.stats();
  for (const rpc::SessionStats& near : ours.sessions)
    for (const rpc::SessionStats& far : theirs.sessions)
      for (const rpc::ChannelStats& a : near.channels)
        for (const rpc::ChannelStats& b : far.channels) {
          if (a.id != b.id) continue;
          ++counts_.credit_checked;
          check_credit(a, b);
          check_credit(b, a);
        }
}

void Program::check_credit(const rpc::ChannelStats& from, const rpc::ChannelStats& to) {
  if (from.sent_messages != to.received_messages || from.sent_bytes != to.received_bytes)
    fail("channel {}: {} values of {} bytes were sent, {} of {} came", from.id, from.sent_messages,
         from.sent_bytes, to.received_messages, to.received_bytes);
  if (from.outbox_bytes > 0) fail("channel {}: {} bytes never left", from.id, from.outbox_bytes);
  if (from.credit_items + to.waiting_messages == 0 || from.credit_bytes + to.waiting_bytes == 0)
    fail("channel {}: there is no credit, and nothing to take", from.id);
  if (from.credit_items + to.waiting_messages > 16)
    fail("channel {}: credit for {} values beside {} that wait", from.id, from.credit_items,
         to.waiting_messages);
  if (from.credit_bytes > to.window_bytes)
    fail("channel {}: credit for {} bytes, the window has {}", from.id, from.credit_bytes,
         to.window_bytes);
}

Task<> Program::disturb(std::optional<rpc::Node>& client) {
  co_await ok(sleep(std::chrono::milliseconds(prng_.below(2000))));
  const std::uint64_t draw = prng_.below(6);
  if (draw == 0)
    for (const WireId wire : sim_.wire().connections()) sim_.wire().cut(wire);
  if (draw == 1) client.reset();
  co_return {};
}

Task<> Program::run_over_link() {
  sim_.wire().set_conditions({.latency_min = std::chrono::microseconds(prng_.below(500)),
                              .latency_max = std::chrono::microseconds(500 + prng_.below(20'000)),
                              .chunk_bytes_min = 1 + prng_.below(100),
                              .chunk_bytes_max = 200 + prng_.below(60'000)});
  test::Hosts hosts(sim_.scheduler(), sim_.wire(), sim_.entropy());
  test::Host& server = hosts.add({.name = "server"});
  test::Host& client = hosts.add({.name = "client", .usage = crypto::Usage::client});
  co_await ok(server.node->listen(test::kServerAddress));
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    co_await ok(live_between(n, server, client));
    n.cancel();
    co_return {};
  }));
  // All strands and all handles are gone; the last words are still on their way.
  co_await ok(sleep(2s));
  for (const std::optional<rpc::Node>* node : {&server.node, &client.node}) {
    if (!*node) continue;
    for (const rpc::SessionStats& session : (*node)->stats().sessions)
      if (!session.channels.empty())
        fail("{} channels are left when all of it is over", session.channels.size());
  }
  co_return {};
}

Task<> Program::live_between(Nursery& n, test::Host& server, test::Host& client) {
  co_await ok(serve(n, *server.node, kProgram, [&](End<Note>& end) -> Task<> {
    auto first = co_await end.rx.recv();
    if (!first) co_return {};
    Talk& talk = talks_[first->talk];
    ++talk.directions[0].received;
    End<Note> whole{end.tx, end.rx};
    co_await ok(live(n, talk, 1, std::move(whole)));
    // A handler that returns ok closes.
    if (!end.tx.core()->ended()) talk.directions[1].closed = true;
    co_return {};
  }));
  co_await ok(open_channels(n, *client.node));
  co_await ok(sleep(std::chrono::milliseconds(500 + prng_.below(1000))));
  paused_ = true;
  co_await ok(sleep(2s));
  check_credit(*client.node, *server.node);
  calm_ = paused_ = false;
  co_await ok(disturb(client.node));
  co_return co_await sleep(kProgramTime);
}

Task<> Program::run() {
  const Result<> ran =
      place_ == Place::one_process ? co_await run_in_process() : co_await run_over_link();
  if (!ran) fail("the program failed: {}", ran.error().text());
  co_return {};
}

}  // namespace

ProgramCounts& ProgramCounts::operator+=(const ProgramCounts& other) {
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
  credit_checked += other.credit_checked;
  return *this;
}

std::string run_channel_program(Place place, std::uint64_t seed, ProgramCounts& counts) {
  SimRun sim(seed);
  Program program(sim, place, counts);
  const Result<> ran = sim.run(program.run());
  if (!ran) return fmt::format("a wait did not end: {}", ran.error().text());
  return program.fault();
}

}  // namespace tubing::sim
