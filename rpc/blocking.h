// BlockingProgram: channels over the network for an ordinary main, without a coroutine.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tubing/rpc/detail/blocking_loop.h"
#include "tubing/rpc/program.h"

namespace tubing::rpc {

/// One end of a channel, for threads. Move-only; what it does may be done by several threads, for
/// example one that sends and one that receives.
///
/// `kBridgeCapacity` values wait in each direction, beside those of the service's own capacity: a
/// send that has returned says that the value will go its way, not that the peer has it.
/// Dropping it unclosed tells the peer reset(cancelled), as for a Duplex.
template <class Out, class In>
class BlockingChannel {
 public:
  /// Blocks until there is room. Errors: how the channel ended (stopped, reset, lost, …), closed
  /// after `close`; deadline_exceeded, where the value was not sent; cancelled where the program
  /// was stopped.
  Result<> send(Out value, Deadline deadline = {}) {
    return bridge_.out.send(std::move(value), deadline);
  }
  /// Blocks until there is a value. Errors: how the channel ended, `closed` where the peer has said
  /// everything; deadline_exceeded; cancelled where the program was stopped.
  Result<In> recv(Deadline deadline = {}) { return bridge_.in.recv(deadline); }
  /// Nothing more will be sent; what was sent still arrives. Idempotent.
  void close() { bridge_.out.close(); }
  /// Who is at the other end.
  const PeerInfo& peer() const { return peer_; }

  BlockingChannel(detail::Bridge<Out, In> bridge, PeerInfo peer)
      : bridge_(std::move(bridge)), peer_(std::move(peer)) {}

 private:
  detail::Bridge<Out, In> bridge_;
  PeerInfo peer_;
};

/// Channels that peers open to one service of this program. `kBridgeCapacity` of them may wait to
/// be accepted; further ones are reset. Dropping it ends the service.
template <class Out, class In>
class BlockingListener {
 public:
  /// Blocks until a peer opens a channel. Errors: deadline_exceeded; cancelled where the program
  /// was stopped.
  Result<BlockingChannel<Out, In>> accept(Deadline deadline = {}) {
    return bridge_.in.recv(deadline);
  }

  using Bridge = detail::Bridge<std::monostate, BlockingChannel<Out, In>>;
  explicit BlockingListener(Bridge bridge) : bridge_(std::move(bridge)) {}

 private:
  Bridge bridge_;
};

/// A Program whose loop runs on a thread of its own, so that other threads may simply block.
///
///     auto program = rpc::BlockingProgram::start({.name = "alice"});
///     if (!program) …
///     auto chat = (*program)->open(kChat, "bob@127.0.0.1:7000", within(5s));
///     if (!chat || !chat->send("hello")) …
///     auto answer = chat->recv(within(1s));
///
/// Owns: the thread of the loop, which ends in the destructor.
/// Threads: any, after `start`; `stop` and the destructor once, by one of them.
class BlockingProgram {
 public:
  /// Errors: those of Program::make.
  static Result<std::unique_ptr<BlockingProgram>> start(const ProgramOptions& options);
  /// As `stop`.
  ~BlockingProgram();
  BlockingProgram(const BlockingProgram&) = delete;
  BlockingProgram& operator=(const BlockingProgram&) = delete;

  /// Opens a channel to a service of `peer`. Errors: those of `open` in channel/service.h;
  /// cancelled where the program was stopped.
  template <class ToServer, class ToClient>
  Result<BlockingChannel<ToServer, ToClient>> open(Service<ToServer, ToClient> service,
                                                   std::string peer, Deadline deadline = {}) {
    using Channel = BlockingChannel<ToServer, ToClient>;
    return loop_.ask<Channel>([&](Program& program, detail::Pumps& pumps) {
      return detail::open_bridged<Channel>(program, pumps, service, PeerName{peer}, deadline);
    });
  }

  /// Listens at "HOST:PORT"; port 0 takes a free one.
  /// Returns: the address. Errors: those of Node::listen.
  Result<Address> listen(const std::string& address);

  /// Serves: channels to `service` come to the listener. Errors: those of `accept` in
  /// channel/service.h.
  template <class ToServer, class ToClient>
  Result<BlockingListener<ToClient, ToServer>> serve(Service<ToServer, ToClient> service) {
    using Channel = BlockingChannel<ToClient, ToServer>;
    using Listener = BlockingListener<ToClient, ToServer>;
    return loop_.ask<Listener>([&](Program& program, detail::Pumps& pumps) {
      return detail::serve_bridged<Listener, Channel>(program, pumps, service);
    });
  }

  /// For all else: runs `task(program)`, a Task<T>, on the loop, and blocks until it has ended.
  template <class F>
  auto run(F task) -> Result<typename std::invoke_result_t<F&, Program&>::value_type> {
    using T = typename std::invoke_result_t<F&, Program&>::value_type;
    return loop_.ask<T>([&](Program& program, detail::Pumps&) { return task(program); });
  }

  /// Ends what runs: whoever blocks gets `cancelled`. What was sent on channels that are closed
  /// still leaves, for at most 2 s, and peers hear goodbye. Idempotent.
  /// Returns: how the loop ended.
  Result<> stop() { return loop_.stop(); }

 private:
  BlockingProgram() = default;
  detail::BlockingLoop loop_;
};

}  // namespace tubing::rpc

#include "tubing/rpc/detail/blocking_pumps.inl.h"
