// Dials: the connections that a node is making.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tubing/channel/alarm.h"
#include "tubing/channel/channel.h"
#include "tubing/rpc/detail/backoff.h"
#include "tubing/rpc/detail/dial_target.h"

namespace tubing::rpc {

/// What dials ask of their node.
class DialsEvents {
 public:
  /// Begins a session on a link that was dialled for `who`. Returns: its number.
  virtual Result<std::uint64_t> on_dialed(const crypto::ExpectedPeer& who,
                                          std::unique_ptr<Link> link) = 0;
  /// An address is tried, and was tried in vain: for the log.
  virtual void on_dialing(const crypto::ExpectedPeer& who, const Address& address) = 0;
  virtual void on_dial_failed(const Address& address, const Error& why) = 0;
  /// Nobody waits for this session any more.
  virtual void on_dial_late(std::uint64_t session) = 0;

 protected:
  ~DialsEvents() = default;
};

/// Whether trying again later may mend it: not what is wrong with us, the peer or the question.
bool is_worth_a_retry(Code code);

/// One connection at a time to each dialled peer; whoever wants the same one waits for the same.
///
///   waiting ──the backoff is over──▶ connecting ──on_dialed()──▶ handshake ──on_session_up()──▶
///   done
///                        ▲  └── no answer, a refusal, dial_time_max ──┘
///                        └── the next address; after the last one: done, with every reason
///
/// A dial ends by closing `done`: with `closed` where a session is up, else with the error.
/// Threads: the Scheduler's alone.
class Dials final : private TurnHook {
 public:
  Dials(Scheduler& scheduler, Transport& transport, const NodeLimits& limits, DialsEvents& events)
      : scheduler_(scheduler),
        transport_(transport),
        limits_(limits),
        events_(events),
        backoff_(limits, scheduler.prng()) {}

  /// Joins the dial of this target, or begins it as soon as its backoff allows; `another` begins
  /// one of its own. Requires: it has addresses. Errors: resource_exhausted over `dials_max`.
  Result<Channel<char>> join(const DialTarget& target, bool another);
  /// Ends the dial of `session`; whoever waits for another that it would serve as well goes on.
  void on_session_up(std::uint64_t session, const std::function<bool(const DialTarget&)>& serves);
  /// Returns: whether it was a dial's, so that its waiters are told why.
  bool on_session_end(std::uint64_t session, const Error& why);
  /// The session that the dial made is of no use.
  void count_failure(const DialTarget& target) {
    backoff_.on_failure(target.text, scheduler_.now());
  }
  void close(const Error& how);
  std::size_t size() const { return dials_.size(); }

 private:
  enum class Step : std::uint8_t { waiting, connecting, handshake };
  struct Dial {
    Dial(Scheduler& scheduler, DialTarget whom, std::function<void()> ring)
        : target(std::move(whom)), alarm(scheduler, std::move(ring)) {}
    DialTarget target;
    bool another = false;  ///< One more session is wanted, whatever others there are.
    Channel<char> done{0};
    std::unique_ptr<Dialing> dialing;
    std::uint64_t session = 0;
    std::size_t next = 0;  ///< Of the addresses, the one to be tried next.
    Step step = Step::waiting;
    Alarm alarm;
    std::vector<Error> reasons;  ///< Why each address before it failed.
  };
  using Map = std::map<std::string, std::unique_ptr<Dial>>;

  static bool serves_as(const Dial& dial, const std::function<bool(const DialTarget&)>& serves);
  void on_alarm(const std::string& key);
  void connect_next(const std::string& key);
  void on_link(const std::string& key, Result<std::unique_ptr<Link>> link);
  void fail_address(Dial& dial, const std::string& key, const Error& why);
  Error failure_of(const Dial& dial) const;
  void finish(Map::iterator dial, Error how);
  void on_turn_end() override { done_.clear(); }

  Scheduler& scheduler_;
  Transport& transport_;
  const NodeLimits& limits_;
  DialsEvents& events_;
  Backoff backoff_;
  Map dials_;
  std::vector<std::unique_ptr<Dial>> done_;  ///< Destroyed at the end of the turn.
  std::uint64_t next_another_ = 1;
};

}  // namespace tubing::rpc
