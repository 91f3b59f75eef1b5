#include "tubing/sim/detail/wire_connection.h"

#include <fmt/format.h>

namespace tubing::sim::detail {

WireConnection::WireConnection(WireHub& hub, WireId id, std::string dialer, std::string listener)
    : hub_(hub),
      id_(id),
      ends_{End{.address = std::move(dialer)}, End{.address = std::move(listener)}},
      flows_{WireFlow(hub.reactor, *this, WireSide::dialer, Prng(hub.prng.next())),
             WireFlow(hub.reactor, *this, WireSide::listener, Prng(hub.prng.next()))} {
  for (WireFlow& flow : flows_) flow.set_conditions(hub.conditions);
  note("connect", WireSide::dialer);
}

std::unique_ptr<rpc::Link> WireConnection::make_link(WireSide side) {
  return std::make_unique<WireLink>(*this, side);
}

void WireConnection::cut(std::string_view reason) {
  if (cut_) return;
  cut_ = true;
  cut_reason_ = reason;
  for (WireFlow& flow : flows_) flow.sever();
  schedule_loss(WireSide::dialer);
  schedule_loss(WireSide::listener);
}

void WireConnection::start(WireSide side, rpc::LinkEvents& events) {
  TUBING_ASSERT(end(side).events == nullptr && "a link is started once");
  end(side).events = &events;
  flow_from(other(side)).open();
  if (cut_) schedule_loss(side);
}

bool WireConnection::write(WireSide side, ByteView bytes) {
  TUBING_ASSERT(end(side).events != nullptr && "a link is started before it is written to");
  if (end(side).ended || cut_) return true;
  return flow_from(side).write(bytes);
}

void WireConnection::close_write(WireSide side) {
  if (!end(side).ended && !cut_) flow_from(side).close();
}

void WireConnection::drop(WireSide side) {
  End& dropped = end(side);
  dropped.linked = false;
  dropped.events = nullptr;
  dropped.loss.cancel();
  if (!end(other(side)).linked) {
    hub_.connections.erase(id_);  // destroys this
    return;
  }
  if (cut_) return;
  flow_from(side).abandon();
  flow_from(other(side)).open();  // What arrives for nobody is answered by breaking off.
}

void WireConnection::note(std::string_view kind, WireSide side, ByteView payload) {
  hub_.hash.on_event(hub_.reactor.now(), kind, 2 * id_ + index(side), payload);
}

void WireConnection::schedule_loss(WireSide side) {
  if (deaf(end(side)) || end(side).events == nullptr) return;
  end(side).loss = hub_.reactor.schedule(hub_.reactor.now(), [this, side] { tell_lost(side); });
}

void WireConnection::tell_lost(WireSide side) {
  End& to = end(side);
  to.ended = true;
  note("lost", side);
  to.events->on_end(Error(
      Code::lost, "link",
      fmt::format("the connection with {} broke: {}", end(other(side)).address, cut_reason_)));
}

void WireConnection::on_arrival(WireSide from, Bytes bytes) {
  if (hub_.tap) hub_.tap(id_, from, bytes);
  End& to = end(other(from));
  if (bytes.empty() || to.ended) return;
  note("bytes", from, bytes);
  if (!to.linked) return cut("the peer is gone");
  to.events->on_bytes(bytes);
}

void WireConnection::on_fin(WireSide from) {
  End& to = end(other(from));
  if (deaf(to)) return;
  to.ended = true;
  flow_from(other(from)).abandon();
  note("closed", from);
  to.events->on_end(
      Error(Code::closed, "link", fmt::format("{} ended the connection", end(from).address)));
}

void WireConnection::on_taken(WireSide from) {
  if (deaf(end(from))) return;
  note("writable", from);
  end(from).events->on_writable();
}

void WireConnection::on_cut_point(WireSide) { cut("it was cut"); }

}  // namespace tubing::sim::detail
