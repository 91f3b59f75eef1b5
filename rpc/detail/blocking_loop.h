// BlockingLoop: a Program on a thread of its own, and what runs there for threads that block.
#pragma once

#include <functional>
#include <thread>
#include <utility>

#include "tubing/channel/thread_channel.h"
#include "tubing/rpc/program.h"

namespace tubing::rpc::detail {

/// Values that wait between a thread and the loop, in each direction of each channel.
inline constexpr std::size_t kBridgeCapacity = 64;
/// Calls that wait for the loop; further ones block.
inline constexpr std::size_t kCallsMax = 64;

/// The thread's ends of the two ThreadChannels under a BlockingChannel. Move-only.
template <class Out, class In>
struct Bridge {
  ThreadChannel<Out> out{kBridgeCapacity};
  ThreadChannel<In> in{kBridgeCapacity};

  Bridge() = default;
  Bridge(Bridge&&) noexcept = default;
  Bridge& operator=(Bridge&& other) noexcept {
    std::swap(out, other.out);
    std::swap(in, other.in);
    return *this;
  }
  ~Bridge() {
    if (out) out.close(Error(Code::cancelled, "channel", "it was dropped before it was closed"));
    if (in) in.close(Error(Code::closed, "channel"));
  }
};

/// What carries values between bridges and the network.
struct Pumps {
  Nursery& receiving;  ///< Stopped at once where the program is.
  Nursery& sending;    ///< These may first send what was given to them.
  std::size_t senders = 0;
  Channel<std::monostate> stopping{0};  ///< Closed where the program is stopped.
  Channel<std::monostate> drained{0};   ///< Closed where nothing is left to send behind that.

  void on_sender_end() {
    if (--senders == 0 && stopping.core()->ended()) drained.close();
  }
};

template <class T>
struct Answered {
  Result<T> result;
};

/// The loop's end of one call; a call that is dropped is answered with `cancelled`.
template <class T>
struct Answer {
  explicit Answer(ThreadChannel<Answered<T>> to) : channel(std::move(to)) {}
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (channel) channel.close(Error(Code::cancelled, "call", "the program was stopped"));
  }
  /// There is room for the one answer.
  void give(Result<T> result) { (void)channel.try_send(Answered<T>{std::move(result)}); }

  ThreadChannel<Answered<T>> channel;
};

template <class T>
Task<> answer_with(Task<T> task, Answer<T> answer) {
  answer.give(co_await std::move(task));
  co_return {};
}

class BlockingLoop {
 public:
  BlockingLoop() = default;
  ~BlockingLoop() { (void)stop(); }
  BlockingLoop(const BlockingLoop&) = delete;
  BlockingLoop& operator=(const BlockingLoop&) = delete;

  Result<> start(const ProgramOptions& options);
  Result<> stop();

  /// Has the loop make a Task<T> by `make(program, pumps)` and run it. Blocks until it has ended.
  template <class T, class Make>
  Result<T> ask(Make make) {
    ThreadChannel<Answered<T>> answers{1};
    Result<> asked =
        calls_.send([&make, answer = Answer<T>(answers)](Program& program, Pumps& pumps) mutable {
          pumps.receiving.spawn("call", answer_with(make(program, pumps), std::move(answer)));
        });
    if (!asked) return Error(Code::cancelled, "call", "the program was stopped");
    Result<Answered<T>> answered = answers.recv();
    if (!answered) return std::move(answered).error();
    return std::move(answered->result);
  }

 private:
  using Call = std::move_only_function<void(Program&, Pumps&)>;

  void run_loop(const ProgramOptions& options, const ThreadChannel<Answered<void>>& started);
  static Task<> take_calls(Program& program, Receiver<Call> calls);

  ThreadChannel<Call> calls_{kCallsMax};
  std::thread thread_;
  Result<> ended_;
};

// In blocking_pumps.inl.h: what a call does, with a bridge to the thread that made it.
template <class Channel, class ToServer, class ToClient>
Task<Channel> open_bridged(Program& program, Pumps& pumps, Service<ToServer, ToClient> service,
                           PeerName peer, Deadline deadline);
template <class Listener, class Channel, class ToServer, class ToClient>
Task<Listener> serve_bridged(Program& program, Pumps& pumps, Service<ToServer, ToClient> service);

}  // namespace tubing::rpc::detail
