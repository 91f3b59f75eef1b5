// How values get from a bridge to the network and back, each direction on a strand of its own.
#pragma once

#include "tubing/rpc/blocking.h"

namespace tubing::rpc::detail {

template <class T>
Task<> pump_out(Receiver<T> from, Sender<T> to, ThreadChannel<T> bridge, Pumps& pumps) {
  Result<> sent;
  std::optional<Error> end;
  while (sent && !end) {
    auto s = co_await select_first(recv(from), recv(pumps.stopping));
    if (!s || s->index() == 1) {
      end = Error(Code::cancelled, "channel", "the program was stopped");
    } else if (!s->template get<0>()) {
      end = s->template get<0>().error();
    } else {
      sent = co_await to.send(*std::move(s->template get<0>()));
    }
  }
  // The thread's sends end as this one's did; the first end stays.
  bridge.close(sent ? *end : sent.error());
  if (sent) to.close(*std::move(end));
  pumps.on_sender_end();
  co_return {};
}

template <class T>
Task<> pump_in(Receiver<T> from, Sender<T> to) {
  for (;;) {
    auto value = co_await from.recv();
    if (!value) {
      to.close(std::move(value).error());
      co_return {};
    }
    if (!co_await to.send(*std::move(value))) co_return {};
  }
}

/// The loop's side of a BlockingListener.
template <class Channel>
struct Listening {
  Receiver<std::monostate> dropped;
  ThreadChannel<Channel> channels;
};

/// Puts a bridge between threads and an end of a channel.
template <class Channel, class Out, class In>
Channel bridge_over(Scheduler& scheduler, Pumps& pumps, Duplex<Out, In> end) {
  Bridge<Out, In> bridge;
  ++pumps.senders;
  pumps.sending.spawn("bridge out",
                      pump_out<Out>(bridge.out.rx(scheduler), end.tx, bridge.out, pumps));
  pumps.receiving.spawn("bridge in", pump_in<In>(end.rx, bridge.in.tx(scheduler)));
  return Channel(std::move(bridge), PeerInfo(end.peer()));
}

template <class Channel, class ToServer, class ToClient>
Task<Channel> open_bridged(Program& program, Pumps& pumps, Service<ToServer, ToClient> service,
                           PeerName peer, Deadline deadline) {
  auto end = co_await ok(tubing::open(program.node(), service, std::move(peer), deadline));
  co_return bridge_over<Channel>(program.scheduler(), pumps, std::move(end));
}

/// Hands out channels until the listener is dropped or the program is stopped.
template <class Channel, class ToServer, class ToClient>
Task<> pump_incoming(Program& program, Pumps& pumps, Service<ToServer, ToClient> service,
                     Receiver<channel::IncomingPort> incoming, Listening<Channel> listening) {
  for (;;) {
    auto s = co_await select(recv(incoming), recv(listening.dropped));
    if (!s || s->index() == 1 || !s->template get<0>()) break;
    auto end = serve_end(service, *std::move(s->template get<0>()));
    if (!end) continue;
    Channel channel = bridge_over<Channel>(program.scheduler(), pumps, *std::move(end));
    // One that finds no place is dropped, and its peer told.
    (void)listening.channels.try_send(std::move(channel));
  }
  listening.channels.close(Error(Code::cancelled, "accept", "the program was stopped"));
  co_return {};
}

template <class Listener, class Channel, class ToServer, class ToClient>
Task<Listener> serve_bridged(Program& program, Pumps& pumps, Service<ToServer, ToClient> service) {
  auto incoming = co_await ok(accept(program.node(), service));
  typename Listener::Bridge bridge;
  Listening<Channel> listening{bridge.out.rx(program.scheduler()), bridge.in};
  pumps.receiving.spawn(
      "bridge accept",
      pump_incoming<Channel>(program, pumps, service, std::move(incoming), std::move(listening)));
  co_return Listener(std::move(bridge));
}

}  // namespace tubing::rpc::detail
