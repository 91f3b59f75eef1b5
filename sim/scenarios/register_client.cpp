#include "tubing/sim/scenarios/register_client.h"

#include <algorithm>

#include "tubing/channel/go.h"
#include "tubing/sim/host.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

/// An operation ends by then; once all is healed it has longer, and has to succeed.
constexpr Duration kPatience = 1s;
constexpr Duration kPatienceHealed = 20s;
constexpr Duration kOpenMax = 500ms;
/// A replica that says nothing for so long is asked again, over another channel.
constexpr Duration kAnswerMax = 400ms;
constexpr std::uint64_t kRetryMaxNs = 20'000'000;

/// One round: the same question to every replica, until enough have answered.
struct Round {
  RegisterAsk ask;
  std::size_t quorum = 0;
  std::vector<std::size_t> replicas = {};  ///< Which answered, in that order.
  RegisterEntry newest = {};               ///< Of their answers.
};

/// One life of a client.
class RegisterClient {
 public:
  RegisterClient(RegisterState& state, Process& self, std::size_t client)
      : state_(state), self_(self), client_(client), channels_(state.replicas) {}

  /// Errors: cancelled alone.
  Task<> run();

 private:
  using Channel = decltype(kRegister)::OpenerEnd;

  Time now() { return self_.reactor().world_now(); }
  Task<> wait_for(const WorkloadStep& step);
  Task<> carry_out(const WorkloadStep& step);
  Task<> write(std::uint32_t key, std::string value, Recorder::Id id, Deadline deadline);
  Task<> read(std::uint32_t key, Recorder::Id id, Deadline deadline);
  Task<> ask_all(Round& round, Deadline deadline);
  Task<> ask_one(Nursery& n, Round& round, std::size_t replica);
  Task<> exchange(Round& round, std::size_t replica);
  Round make_round(RegisterAsk ask);

  RegisterState& state_;
  Process& self_;
  const std::size_t client_;
  std::vector<std::optional<Channel>> channels_;  ///< By replica; kept from round to round.
  std::uint64_t rounds_ = 0;
  std::uint64_t counter_ = 0;  ///< The largest that it used.
};

Task<> RegisterClient::run() {
  std::size_t& next = state_.next[client_];
  const Workload& steps = state_.steps[client_];
  while (next < steps.size()) {
    co_await ok(wait_for(steps[next]));
    co_await ok(carry_out(steps[next++]));
  }
  --state_.clients_to_do;
  co_return {};
}

/// A time of the world, by a clock that may be wrong: it looks again.
Task<> RegisterClient::wait_for(const WorkloadStep& step) {
  if (!step.at_time) co_return co_await sleep(step.due);
  while (now() < Time(step.due)) co_await ok(sleep(Time(step.due) - now()));
  co_return {};
}

Task<> RegisterClient::carry_out(const WorkloadStep& step) {
  const auto key = static_cast<std::uint32_t>(std::ranges::find(state_.keys, step.arguments[0]) -
                                              state_.keys.begin());
  std::vector<NamedValue> arguments{{"key", step.arguments[0]}};
  if (step.op == "write") arguments.push_back({"value", step.arguments[1]});
  const Duration patience = now() > state_.healed ? kPatienceHealed : kPatience;
  const Recorder::Id id = state_.recorder.call(now(), client_ + 1, step.op, std::move(arguments));
  state_.rounds.emplace_back();
  const Deadline until = co_await deadline(patience);
  Result<> ended = step.op == "write" ? co_await write(key, step.arguments[1], id, until)
                                      : co_await read(key, id, until);
  if (ended.code() == Code::cancelled) co_return ended;
  co_return {};
}

Round RegisterClient::make_round(RegisterAsk ask) {
  ask.number = ++rounds_;
  return {.ask = std::move(ask), .quorum = state_.quorum()};
}

Task<> RegisterClient::write(std::uint32_t key, std::string value, Recorder::Id id,
                             Deadline deadline) {
  Round asked = make_round({.key = key});
  Result<> answered = co_await ask_all(asked, deadline);
  if (!answered) {
    if (answered.code() != Code::cancelled) state_.recorder.failed(id, now());
    co_return answered;
  }
  // Its own last write may have reached none of these.
  counter_ = std::max(counter_, asked.newest.tag.counter) + 1;
  const RegisterTag tag{.counter = counter_, .client = client_ + 1, .life = self_.starts()};
  Round stored = make_round({.key = key, .stores = true, .entry = {tag, std::move(value)}});
  co_await ok(ask_all(stored, deadline));
  state_.rounds[static_cast<std::size_t>(id)] = {.asked = std::move(asked.replicas),
                                                 .stored = std::move(stored.replicas)};
  state_.recorder.ok(id, now());
  co_return {};
}

Task<> RegisterClient::read(std::uint32_t key, Recorder::Id id, Deadline deadline) {
  const bool one = state_.flaw == RegisterFlaw::one_replica_reads;
  Round asked = make_round({.key = key});
  if (one) asked.quorum = 1;
  co_await ok(ask_all(asked, deadline));
  std::vector<std::size_t> wrote_back;
  if (!one && state_.flaw != RegisterFlaw::no_write_back && asked.newest.tag.counter > 0) {
    Round stored = make_round({.key = key, .stores = true, .entry = asked.newest});
    co_await ok(ask_all(stored, deadline));
    wrote_back = std::move(stored.replicas);
  }
  state_.rounds[static_cast<std::size_t>(id)] = {.asked = std::move(asked.replicas),
                                                 .stored = std::move(wrote_back)};
  Value value;
  if (asked.newest.tag.counter > 0) value = std::move(asked.newest.value);
  state_.recorder.ok(id, now(), {{"value", std::move(value)}});
  co_return {};
}

Task<> RegisterClient::ask_all(Round& round, Deadline deadline) {
  co_await ok(nursery(
      [&](Nursery& n) -> Task<> {
        for (std::size_t replica = 0; replica < state_.replicas; ++replica)
          n.spawn(RegisterState::replica_name(replica), ask_one(n, round, replica));
        co_return {};
      },
      deadline));
  // Cancelled from outside, the nursery ends well too.
  if (round.replicas.size() < round.quorum) co_return Error(Code::cancelled, "register");
  co_return {};
}

Task<> RegisterClient::ask_one(Nursery& n, Round& round, std::size_t replica) {
  for (;;) {
    Result<> answered = co_await exchange(round, replica);
    if (answered) break;
    if (answered.code() == Code::cancelled) co_return answered;
    channels_[replica].reset();
    co_await ok(sleep(Duration(static_cast<std::int64_t>(self_.workload().below(kRetryMaxNs)))));
  }
  if (round.replicas.size() == round.quorum) n.cancel();
  co_return {};
}

Task<> RegisterClient::exchange(Round& round, std::size_t replica) {
  std::optional<Channel>& channel = channels_[replica];
  if (!channel)
    channel = co_await ok(open(self_.network(), kRegister,
                               PeerName{RegisterState::replica_name(replica)}, within(kOpenMax)));
  co_await ok(channel->tx.send(round.ask));
  for (;;) {
    RegisterAnswer answer = co_await ok(channel->rx.recv(within(kAnswerMax)));
    if (answer.number != round.ask.number) continue;
    if (round.replicas.size() == round.quorum) co_return {};
    round.replicas.push_back(replica);
    if (answer.entry.tag > round.newest.tag) round.newest = std::move(answer.entry);
    co_return {};
  }
}

}  // namespace

Task<> run_register_client(RegisterState& state, Process& self, std::size_t client) {
  RegisterClient life(state, self, client);
  co_return co_await life.run();
}

}  // namespace tubing::sim
