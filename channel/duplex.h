// Duplex<Out, In>: one end of a two-way channel, in process or over a network.
#pragma once

#include "tubing/channel/channel.h"
#include "tubing/channel/detail/port_binding.h"
#include "tubing/channel/network.h"

namespace tubing {
/// A pair of ends: `tx` sends values of type Out, `rx` receives values of type In. Move-only; its
/// two handles may be copied and given to tasks of their own. A default one is empty.
///
/// How a direction, or both, end by hand:
///
/// | call | what was sent before | this side then | the peer then |
/// | --- | --- | --- | --- |
/// | `tx.close()` | comes | a send ends with closed; rx goes on | recv: it all, then closed |
/// | `tx.close(why)` | in process it comes | a send ends with `why` | recv ends with `why` |
/// | the same, over a network | may be dropped | both directions: `why` | both: reset, its status |
/// | `rx.stop()` | is discarded | recv ends with stopped; tx goes on | a send ends with stopped |
/// | `reset(status)` | may be dropped | both directions: reset, `status` | both: reset, `status` |
/// | dropping all of tx | may be dropped | over a network as reset(cancelled) | nothing in process
/// | | dropping all of rx | is discarded | over a network as rx.stop() | nothing in process |
///
/// Each is synchronous and idempotent, and the first end of a direction stays. What the peer's rx
/// has buffered it can still receive, then the end comes.
///
/// A fresh end (nothing was sent, received or awaited on it) may travel inside a message, as a
/// field of it: `struct Job { int id; Duplex<Progress, Control> reply; … }`. So may a Sender or a
/// Receiver of a fresh channel, which passes one direction. In process it moves; over a network a
/// channel is opened for it, and the end that stays is its other end.
///   - It leaves when the send is done; a send that ended otherwise leaves it as it was.
///   - It is refused, with invalid_argument, where it is not fresh, came over a network itself, has
///     capacity 0, or is in the message twice. No more than `channels_max` may be open.
///   - One whose message is dropped is reset: the end that stays is told `cancelled`.
///   - Handles that are left behind, as copies of it, are of no more use.
template <class Out, class In>
struct Duplex {
  Sender<Out> tx;
  Receiver<In> rx;

  Duplex() = default;
  Duplex(Sender<Out> sender, Receiver<In> receiver)
      : tx(std::move(sender)), rx(std::move(receiver)) {}
  Duplex(Duplex&&) noexcept = default;
  Duplex& operator=(Duplex&&) noexcept = default;
  Duplex(const Duplex&) = delete;
  Duplex& operator=(const Duplex&) = delete;

  /// Breaks both directions off; every operation at both ends ends with `reset` and this status.
  /// Requires: a canonical status other than ok.
  void reset(Code status, std::string_view text = {}) const {
    const Error how = Error::reset_by_peer(status, "channel", text);
    if (tx) tx.core()->close(how);
    if (rx) rx.core()->stop(how);
  }
  /// Who is at the other end; nobody in one process.
  /// Lives as long as a handle of this end.
  const PeerInfo& peer() const {
    if (tx && tx.core()->sink()) return tx.core()->sink()->peer();
    if (rx && rx.core()->source()) return rx.core()->source()->peer();
    return detail::kNobody;
  }
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
Duplex<Out, In> bind_port(std::unique_ptr<channel::Port> port, std::uint32_t capacity,
                          channel::Delivery delivery) {
  auto* out = new ChannelCore<Out>(0);
  auto* in = new ChannelCore<In>(capacity);
  Duplex<Out, In> duplex{Sender<Out>(out), Receiver<In>(in)};
  PortBinding<Out, In>::bind(std::move(port), out, in, delivery);
  return duplex;
}

}  // namespace detail
}  // namespace tubing

#include "tubing/channel/detail/passed_ends.inl.h"
