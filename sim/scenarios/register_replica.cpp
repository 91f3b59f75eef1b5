#include "tubing/sim/scenarios/register_replica.h"

#include <set>

#include "tubing/channel/go.h"
#include "tubing/sim/world.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRestart = 20ms;

/// One life of a replica.
class RegisterReplica {
 public:
  RegisterReplica(RegisterState& state, Process& self, std::size_t replica)
      : state_(state), self_(self), replica_(replica), disk_(self.disk(), state.keys.size()) {}

  Task<> run();

 private:
  using Client = decltype(kRegister)::ServerEnd;
  Task<> serve_client(Nursery& n, Client& client);
  Task<> store(std::uint32_t key, RegisterEntry entry);
  bool replaces(const RegisterTag& tag, const RegisterTag& old) const;
  void note(RegisterNote::Kind kind, std::uint32_t key, const RegisterEntry& entry) {
    state_.notes.push_back({.at = self_.reactor().world_now(),
                            .kind = kind,
                            .replica = replica_,
                            .key = key,
                            .entry = entry});
  }

  RegisterState& state_;
  Process& self_;
  const std::size_t replica_;
  RegisterDisk disk_;
  Semaphore writing_{1};
  Result<> disk_failed_;
  std::set<RegisterTag> ignored_;  ///< That were noted.
};

Task<> RegisterReplica::run() {
  co_await ok(disk_.open());
  if (self_.starts() > 1)
    for (std::uint32_t key = 0; key < state_.keys.size(); ++key)
      note(RegisterNote::Kind::returned, key, disk_.entry(key));
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    co_return serve(n, self_.network(), kRegister,
                    [this, &n](Client& client) { return serve_client(n, client); });
  }));
  co_return disk_failed_;
}

Task<> RegisterReplica::serve_client(Nursery& n, Client& client) {
  while (auto ask = co_await client.rx.recv()) {
    if (ask->key >= state_.keys.size()) co_return Error(Code::invalid_argument, "register");
    if (ask->stores) {
      Result<> stored = co_await store(ask->key, std::move(ask->entry));
      if (!stored) {
        if (stored.code() == Code::cancelled) co_return stored;
        disk_failed_ = stored;
        n.cancel();
        co_return stored;
      }
    }
    co_await ok(client.tx.send({.number = ask->number, .entry = disk_.entry(ask->key)}));
  }
  co_return client.rx.end();
}

bool RegisterReplica::replaces(const RegisterTag& tag, const RegisterTag& old) const {
  if (state_.flaw == RegisterFlaw::no_tie_break) return tag.counter > old.counter;
  return tag > old;
}

Task<> RegisterReplica::store(std::uint32_t key, RegisterEntry entry) {
  Permit alone = co_await ok(writing_.acquire());
  const RegisterEntry& has = disk_.entry(key);
  if (!replaces(entry.tag, has.tag)) {
    if (entry.tag.counter == has.tag.counter && entry.tag != has.tag &&
        ignored_.insert(entry.tag).second) {
      note(RegisterNote::Kind::ignored, key, entry);
      state_.notes.back().kept = has.value;
    }
    co_return {};
  }
  co_await ok(disk_.write(key, entry, state_.flaw != RegisterFlaw::no_sync));
  note(RegisterNote::Kind::stored, key, entry);
  co_return {};
}

}  // namespace

Task<> run_register_replica(RegisterState& state, Process& self, std::size_t replica) {
  Result<> ended;
  {
    RegisterReplica life(state, self, replica);
    ended = co_await life.run();
  }
  if (!ended && ended.code() != Code::cancelled) {
    self.world().at(self.reactor().world_now() + kRestart, [&self] {
      if (!self.running() && self.host().powered()) self.start();
    });
  }
  co_return ended;
}

}  // namespace tubing::sim
