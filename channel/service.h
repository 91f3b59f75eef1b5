// Service: the descriptor that both ends of a network channel share; open and accept by it.
#pragma once

#include <string_view>

#include "tubing/channel/codec.h"
#include "tubing/channel/duplex.h"
#include "tubing/channel/network.h"
#include "tubing/channel/nursery.h"

namespace tubing {

/// Names a channel service and the types of its values, once, for both ends:
///
///     inline constexpr Service<ToServer, ToClient> kChat{"chat.v1"};
///
/// The names of both types, and the delivery, are compared when a channel is opened.
template <Encodable ToServer, Encodable ToClient>
struct Service {
  std::string_view name;
  /// Values that each side's receiver has room for; the peer's credit. At least 1.
  std::uint32_t capacity = 64;
  channel::ChannelClass channel_class = channel::ChannelClass::normal;
  /// Both ends must have the same; datagram says that values may be lost, and sends never wait.
  channel::Delivery delivery = channel::Delivery::ordered;

  /// Whether a value of either direction may hold the end of a channel.
  static constexpr bool kPassesEnds =
      detail::kCarriesEnds<ToServer> || detail::kCarriesEnds<ToClient>;

  using OpenerEnd = Duplex<ToServer, ToClient>;
  using ServerEnd = Duplex<ToClient, ToServer>;

  channel::ChannelSpec spec() const {
    return {.service = std::string(name),
            .out_type = std::string(type_name_of<ToServer>()),
            .in_type = std::string(type_name_of<ToClient>()),
            .capacity = capacity,
            .channel_class = channel_class,
            .delivery = delivery};
  }
};

/// `auto chat = co_await ok(open(network, kChat, PeerName{"server@127.0.0.1:7000"}));` opens a
/// channel to the service; both directions may be used at once.
///
/// Errors: those of Network::open; invalid_argument as for accept. Whether the peer serves the
/// channel shows at its first use.
template <class ToServer, class ToClient>
Task<Duplex<ToServer, ToClient>> open(channel::Network& network,
                                      Service<ToServer, ToClient> service, PeerName peer,
                                      Deadline deadline = {}) {
  co_await ok(detail::check_spec(service.spec(), service.kPassesEnds, "open"));
  std::unique_ptr<channel::Port> port =
      co_await ok(network.open(std::move(peer), service.spec(), deadline));
  co_return detail::bind_port<ToServer, ToClient>(std::move(port), service.capacity,
                                                  service.delivery);
}

/// A channel that a peer opened and nobody serves yet. Move-only; dropping it refuses the channel.
using channel::IncomingPort;

/// Channels that peers open to `service`, as a receiver, so that accepting is selectable:
///
///     auto incoming = co_await ok(accept(network, kChat));
///     while (auto opened = co_await incoming.recv()) {
///       auto chat = co_await ok(serve_end(kChat, *std::move(opened)));
///       …
///
/// Dropping the receiver ends the service: channels to it are refused from then on.
/// Errors: already_exists where the service is accepted elsewhere; invalid_argument for capacity 0,
/// and for datagrams that carry the ends of channels.
template <class ToServer, class ToClient>
Result<Receiver<IncomingPort>> accept(channel::Network& network,
                                      const Service<ToServer, ToClient>& service,
                                      std::uint32_t backlog = 128) {
  Result<> served = detail::check_spec(service.spec(), service.kPassesEnds, "accept");
  if (!served) return std::move(served).error();
  return network.accept(std::string(service.name), backlog);
}

/// Serves one channel that came by accept. Errors: invalid_argument where the opener's types are
/// others than the service's, or its delivery is; the opener is told both.
template <class ToServer, class ToClient>
Result<Duplex<ToClient, ToServer>> serve_end(const Service<ToServer, ToClient>& service,
                                             IncomingPort incoming) {
  const channel::ChannelSpec ours = service.spec();
  Result<> same = detail::compare_specs(ours, incoming.spec);
  if (!same) {
    incoming.port->reset(same.error().code(), same.error().detail());
    return std::move(same).error();
  }
  const std::uint32_t room = incoming.port->accept(service.capacity);
  return detail::bind_port<ToClient, ToServer>(std::move(incoming.port), room, service.delivery);
}

namespace detail {

/// A whole session's channels may come in one turn.
inline constexpr std::uint32_t kServeBacklog = 1024;

inline Task<> failed(Error error) { co_return error; }

/// What a handler that is no coroutine throws ends its own channel, as with one that is.
template <class Handler, class Out, class In>
Task<> begin_handler(Handler& handler, Duplex<Out, In>& end) {
  try {
    return handler(end);
  } catch (...) {
    return failed(error_of_exception());
  }
}

template <class Handler, class Out, class In>
Task<> serve_one(Handler& handler, Duplex<Out, In> end) {
  Result<> done = co_await begin_handler(handler, end);
  if (done) {
    end.tx.close();
  } else {
    end.tx.close(std::move(done).error());
  }
  co_return {};
}

template <class ToServer, class ToClient, class Handler>
Task<> serve_all(Service<ToServer, ToClient> service, Receiver<IncomingPort> incoming,
                 Handler handler) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    while (auto opened = co_await incoming.recv()) {
      auto end = serve_end(service, *std::move(opened));
      if (end) n.spawn(std::string(service.name), serve_one(handler, *std::move(end)));
    }
    co_return incoming.end();
  });
}

}  // namespace detail

/// Serves every channel that peers open to `service`: each runs `handler` on a strand of its own.
/// `handler` takes a `Duplex<ToClient, ToServer>&` and returns a Task<>; it is kept until the last
/// has ended. One that returns ok closes its channel, and stops what it did not receive; one that
/// returns an error resets it with that status, and disturbs no other.
///
///     co_await ok(serve(n, node, kEcho, [](auto& peer) -> Task<> {
///       while (auto line = co_await peer.rx.recv()) co_await ok(peer.tx.send(*line));
///       co_return peer.rx.end();
///     }));
///
/// A handler's error is told to its peer alone. One that is cancelled resets with `cancelled`; to
/// say more, return `Error(Code::unavailable, "serve", "the server is shutting down")` instead.
///
/// Errors: already_exists where the service is accepted elsewhere.
/// Cancel: cancelling the nursery cancels the handlers.
template <class ToServer, class ToClient, class Handler>
  requires std::is_invocable_r_v<Task<>, Handler&, Duplex<ToClient, ToServer>&>
Result<> serve(Nursery& n, channel::Network& network, const Service<ToServer, ToClient>& service,
               Handler handler) {
  Result<Receiver<IncomingPort>> incoming = accept(network, service, detail::kServeBacklog);
  if (!incoming) return std::move(incoming).error();
  n.spawn("serve " + std::string(service.name),
          detail::serve_all(service, *std::move(incoming), std::move(handler)));
  return {};
}

}  // namespace tubing
