// Duplex<Out, In>: one end of a two-way channel, in process or over a network.
#pragma once

#include "tubing/channel/channel.h"
#include "tubing/channel/detail/port_binding.h"
#include "tubing/channel/network.h"

namespace tubing {

/// A pair of ends: `tx` sends values of type Out, `rx` receives values of type In. Move-only; its
/// two handles may be copied and given to tasks of their own.
///
/// Dropping the last handle of an unclosed network sender tells the peer reset(cancelled): only
/// `tx.close()` means complete.
template <class Out, class In>
struct Duplex {
  Sender<Out> tx;
  Receiver<In> rx;
  PeerInfo peer;  ///< Who is at the other end; empty for make_duplex.

  Duplex(Sender<Out> sender, Receiver<In> receiver, PeerInfo who = {})
      : tx(std::move(sender)), rx(std::move(receiver)), peer(std::move(who)) {}
  Duplex(Duplex&&) noexcept = default;
  Duplex& operator=(Duplex&&) noexcept = default;
  Duplex(const Duplex&) = delete;
  Duplex& operator=(const Duplex&) = delete;
};

/// Both ends of a two-way channel within one process; values move without being encoded. Each
/// direction holds `capacity` values.
template <class A, class B>
std::pair<Duplex<A, B>, Duplex<B, A>> make_duplex(std::size_t capacity = 64) {
  Channel<A> there{capacity};
  Channel<B> back{capacity};
  return {Duplex<A, B>{there.tx(), back.rx()}, Duplex<B, A>{back.tx(), there.rx()}};
}

namespace detail {

/// Puts typed ends on a Port; `capacity` values may wait to be received.
template <class Out, class In>
Duplex<Out, In> bind_port(std::unique_ptr<channel::Port> port, std::uint32_t capacity) {
  PeerInfo peer = port->peer();
  auto* out = new ChannelCore<Out>(0);
  auto* in = new ChannelCore<In>(capacity);
  Duplex<Out, In> duplex{Sender<Out>(out), Receiver<In>(in), std::move(peer)};
  PortBinding<Out, In>::bind(std::move(port), *out, *in);
  return duplex;
}

}  // namespace detail
}  // namespace tubing
