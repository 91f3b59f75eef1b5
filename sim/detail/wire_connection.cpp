#include "tubing/sim/detail/wire_connection.h"

#include <fmt/format.h>

namespace tubing::sim::detail {
namespace {

Prng stream_of(WireHub& hub, const WirePlace& place) {
  return Prng(place.way != nullptr ? place.way->draw_seed() : hub.prng.next());
}

}  // namespace

WireConnection::WireConnection(WireHub& hub, WireId id, WirePlace dialer, WirePlace listener)
    : hub_(hub),
      id_(id),
      ends_{
          End{.address = std::move(dialer.address), .spot = dialer.spot, .way = dialer.way},
          End{.address = std::move(listener.address), .spot = listener.spot, .way = listener.way}},
      flows_{WireFlow(parts(WireSide::dialer), stream_of(hub, dialer)),
             WireFlow(parts(WireSide::listener), stream_of(hub, listener))} {
  for (WireFlow& flow : flows_) flow.set_conditions(hub.conditions);
  const std::string ends = in_world() ? ends_[0].address + " " + ends_[1].address : std::string();
  note("connect", WireSide::dialer, WireSide::listener, as_bytes(ends));
  if (in_world())
    for (WireFlow& flow : flows_) flow.on_way_change();
}

WireFlow::Parts WireConnection::parts(WireSide from) {
  return {.from = end(from).spot,
          .to = end(other(from)).spot,
          .events = *this,
          .side = from,
          .way = end(from).way};
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

void WireConnection::say_hello(OnHello on_hello) {
  on_hello_ = std::move(on_hello);
  flow_from(WireSide::listener).send_hello();
}

std::optional<WireSide> WireConnection::side_of(const VirtualReactor& reactor) const {
  for (const WireSide side : {WireSide::dialer, WireSide::listener})
    if (end(side).spot.reactor == &reactor) return side;
  return std::nullopt;
}

void WireConnection::leave(WireSide side, WireLeave how) {
  End& left = end(side);
  const bool in_order = how != WireLeave::dark && !left.linked;
  left.gone = true;
  left.events = nullptr;
  left.loss.cancel();
  left.spot.reactor = nullptr;
  flow_from(side).leave_sender();
  flow_from(other(side)).leave_receiver();
  if (in_order || left.broken) return;
  if (how != WireLeave::dark) return flow_from(side).send_reset();
  flow_from(side).orphan();
  if (!deaf(end(other(side)))) hub_.counts->add(FaultKind::half_open);
}

void WireConnection::on_way_change(const WireWay& way) {
  for (const WireSide side : {WireSide::dialer, WireSide::listener})
    if (end(side).way == &way) flow_from(side).on_way_change();
}

void WireConnection::on_way_ease(const WireWay& way) {
  for (const WireSide side : {WireSide::dialer, WireSide::listener})
    if (end(side).way == &way) flow_from(side).hasten();
}

std::string_view WireConnection::state() const {
  const bool dialer = stands(end(WireSide::dialer));
  const bool listener = stands(end(WireSide::listener));
  if (on_hello_ && dialer) return "dialling";
  if (dialer && listener) return "open";
  if (!dialer && !listener) return "closing";
  return flows_[index(dialer ? WireSide::listener : WireSide::dialer)].will_end() ? "closing"
                                                                                  : "half-open";
}

ConnectionSnapshot WireConnection::snapshot() const {
  return {.id = id_,
          .dialer = end(WireSide::dialer).address,
          .listener = end(WireSide::listener).address,
          .state = std::string(state()),
          .there = flows_[index(WireSide::dialer)].snapshot(),
          .back = flows_[index(WireSide::listener)].snapshot()};
}

std::size_t WireConnection::in_flight(const WireWay& way) const {
  std::size_t bytes = 0;
  for (const WireSide side : {WireSide::dialer, WireSide::listener})
    if (end(side).way == &way) bytes += flows_[index(side)].flight_bytes();
  return bytes;
}

void WireConnection::start(WireSide side, rpc::LinkEvents& events) {
  End& started = end(side);
  TUBING_ASSERT(started.events == nullptr && "a link is started once");
  if (started.gone) return;
  started.events = &events;
  flow_from(other(side)).open();
  if (cut_ || started.broken) schedule_loss(side);
}

bool WireConnection::write(WireSide side, ByteView bytes) {
  const End& writer = end(side);
  if (writer.ended || writer.broken || writer.gone || cut_) return true;
  TUBING_ASSERT(writer.events != nullptr && "a link is started before it is written to");
  const bool all = flow_from(side).write(bytes);
  if (!all && in_world()) hub_.counts->add(FaultKind::write_blocked);
  return all;
}

void WireConnection::close_write(WireSide side) {
  const End& writer = end(side);
  if (!writer.ended && !writer.broken && !writer.gone && !cut_) flow_from(side).close();
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
  if (!dropped.gone && !dropped.broken) flow_from(side).abandon();
  flow_from(other(side)).open();  // What arrives for nobody is answered by breaking off.
}

void WireConnection::note(std::string_view kind, WireSide from, WireSide where, ByteView payload) {
  hub_.hash.on_event(end(where).spot.now(), kind, 2 * id_ + index(from), payload);
}

void WireConnection::schedule_loss(WireSide side) {
  End& to = end(side);
  if (deaf(to) || to.events == nullptr) return;
  to.loss = to.spot.schedule(to.spot.now(), [this, side] { tell_lost(side); });
}

void WireConnection::tell_lost(WireSide side) {
  End& to = end(side);
  to.ended = true;
  note("lost", side, side);
  to.events->on_end(Error(
      Code::lost, "link",
      fmt::format("the connection with {} broke: {}", end(other(side)).address, cut_reason_)));
}

// In a World: this end is lost now, and the other one learns it by a reset at most.
void WireConnection::break_end(WireSide side, std::string_view reason) {
  End& to = end(side);
  if (to.broken) return;
  to.broken = true;
  cut_reason_ = reason;
  flow_from(side).orphan();
  if (!deaf(to) && to.events != nullptr) tell_lost(side);
}

// Whether nobody reads there, as the sender is then told.
bool WireConnection::answers_by_reset(WireSide side) {
  const End& to = end(side);
  if (!in_world() || (to.linked && !to.gone && !to.broken)) return false;
  note("unwanted", other(side), side);
  flow_from(side).send_reset();
  return true;
}

void WireConnection::on_arrival(WireSide from, Bytes bytes) {
  if (hub_.tap) hub_.tap(id_, from, bytes);
  End& to = end(other(from));
  if (bytes.empty() || answers_by_reset(other(from)) || to.ended) return;
  note("bytes", from, other(from), bytes);
  if (!to.linked) return cut("the peer is gone");
  to.events->on_bytes(bytes);
}

void WireConnection::on_fin(WireSide from) {
  End& to = end(other(from));
  if ((to.gone || to.broken) && !end(from).ended) {
    answers_by_reset(other(from));
    return;
  }
  if (deaf(to)) return;
  to.ended = true;
  flow_from(other(from)).abandon();
  note("closed", from, other(from));
  to.events->on_end(
      Error(Code::closed, "link", fmt::format("{} ended the connection", end(from).address)));
}

void WireConnection::on_taken(WireSide from) {
  if (deaf(end(from))) return;
  note("writable", from, from);
  end(from).events->on_writable();
}

void WireConnection::on_cut_point(WireSide) { cut("it was cut"); }

void WireConnection::on_hello(WireSide from) {
  if (answers_by_reset(other(from))) return;
  note("hello", from, other(from));
  std::exchange(on_hello_, nullptr)();
}

void WireConnection::on_reset(WireSide from) {
  note("reset", from, other(from));
  break_end(other(from), fmt::format("{} broke it off", end(from).address));
}

void WireConnection::on_reset_lost(WireSide from) {
  note("reset lost", from, other(from));
  const End& to = end(other(from));
  if (!deaf(to) && !to.broken) hub_.counts->add(FaultKind::half_open);
}

void WireConnection::on_broken(WireSide from) {
  note("broken", from, other(from));
  flow_from(other(from)).send_reset();
  break_end(other(from), "it was reset on its way");
}

}  // namespace tubing::sim::detail
