// Datagrams: each flies by itself, and may be dropped, repeated, overtaken, and late.
#include <algorithm>
#include <utility>

#include "tubing/sim/detail/message_channel.h"
#include "tubing/sim/detail/message_endpoint.h"
#include "tubing/sim/detail/message_port.h"
#include "tubing/sim/message_fabric.h"

namespace tubing::sim::detail {

Result<bool> MessageChannel::commit_datagram(int end) {
  End& e = ends_[end];
  DatagramFlow& flow = *e.datagrams;
  const ByteView bytes = flow.staged.view();
  if (Result<> fits = check_size(bytes.size()); !fits) {
    flow.staged.clear();
    return std::move(fits).error();
  }
  ++e.sent;
  ++e.out->traffic.sent;
  if (!attached(other(end))) {
    session_.on_sent_to_nobody(side_of(end));
  } else if (!e.flow.dead) {
    send_datagram(end, bytes);
  }
  flow.staged.clear();
  return true;
}

void MessageChannel::send_datagram(int end, ByteView bytes) {
  End& e = ends_[end];
  DatagramFlow& flow = *e.datagrams;
  const Time now = now_at(end);
  const Fate fate = e.out->draw_fate(true);
  if (fate != Fate::flies) {
    note(fate_name(fate), end, now, bytes);
    if (fate == Fate::dropped || fate == Fate::cut) keep(end, bytes);
    if (fate == Fate::reset) break_off(now, true);
    return;
  }
  const Duration delay = e.out->draw_delay();
  Time arrival = e.out->draw_arrival(now, bytes.size()) + delay;
  if (delay == Duration::zero()) {
    arrival = std::max(arrival, flow.last_arrival);
    flow.last_arrival = arrival;
  }
  launch(end, bytes, arrival);
  if (!e.out->draw_duplicate()) return;
  ++e.out->traffic.duplicated;
  launch(end, bytes, now + e.out->draw_latency());
}

void MessageChannel::launch(int end, ByteView bytes, Time arrival) {
  DatagramFlow& flow = *ends_[end].datagrams;
  MessageRoute& route = *ends_[end].out;
  if (flow.flying >= session_.fabric().conditions().datagrams_max) {
    ++route.traffic.overflowed;
    return;
  }
  if (flow.free.empty()) {
    flow.free.push_back(static_cast<std::uint32_t>(flow.places.size()));
    flow.places.emplace_back();
  }
  const std::uint32_t place = flow.free.back();
  flow.free.pop_back();
  Datagram& datagram = flow.places[place];
  datagram.bytes.append(bytes);
  datagram.at = arrival;
  datagram.flying = true;
  datagram.arrival = ends_[other(end)].endpoint->reactor().schedule(
      arrival, [this, end, place] { on_datagram(end, place); });
  ++flow.flying;
  ++route.traffic.in_flight;
}

void MessageChannel::on_datagram(int from, std::uint32_t place) {
  End& e = ends_[from];
  DatagramFlow& flow = *e.datagrams;
  if (e.out->held()) return flow.held.push(place);
  Datagram& datagram = flow.places[place];
  const int to = other(from);
  busy_ = true;
  if (e.out->draw_deaf()) {
    ++e.out->traffic.deaf;
    note("deaf", to, datagram.at, datagram.bytes.view());
    keep(from, datagram.bytes.view());
  } else {
    take_datagram(to, datagram.bytes.view(), datagram.at);
  }
  datagram.bytes.clear();
  datagram.flying = false;
  flow.free.push_back(place);
  --flow.flying;
  --e.out->traffic.in_flight;
  busy_ = false;
  forget_if_over();
}

void MessageChannel::take_datagram(int end, ByteView bytes, Time at) {
  End& e = ends_[end];
  LinkTraffic& traffic = ends_[other(end)].out->traffic;
  note("datagram", end, at, bytes);
  if (e.port == nullptr || e.discards || e.broken) return;
  const std::uint64_t room =
      e.capacity == 0 ? session_.fabric().conditions().early_items : room_of(e);
  if (e.received - e.taken >= room) {
    ++traffic.overflowed;
    return;
  }
  ++e.received;
  ++traffic.delivered;
  e.port->on_message(bytes);
}

void MessageChannel::keep(int end, ByteView bytes) {
  ends_[end].out->keep({.channel = id_,
                        .from = static_cast<std::uint8_t>(end),
                        .bytes = Bytes(bytes.begin(), bytes.end())});
}

void MessageChannel::deliver_late(int end, ByteView bytes, Time now) {
  MessageRoute& route = *ends_[end].out;
  if (!attached(other(end)) || ends_[end].flow.dead) return;
  ++route.traffic.late;
  session_.fabric().links().counts().add(FaultKind::delivered_late);
  launch(end, bytes, now);
}

void MessageChannel::drop_datagrams(int from, bool keep_them) {
  End& e = ends_[from];
  if (e.datagrams == nullptr) return;
  DatagramFlow& flow = *e.datagrams;
  flow.held.clear();
  flow.free.clear();
  for (std::uint32_t place = 0; place < flow.places.size(); ++place) {
    Datagram& datagram = flow.places[place];
    if (std::exchange(datagram.flying, false)) {
      datagram.arrival.cancel();
      if (keep_them) {
        ++e.out->traffic.cut;
        keep(from, datagram.bytes.view());
      }
      datagram.bytes.clear();
    }
    flow.free.push_back(place);
  }
  e.out->traffic.in_flight -= flow.flying;
  flow.flying = 0;
}

// In the order in which they would have arrived.
void MessageChannel::hasten_datagrams(int from, Time now) {
  End& e = ends_[from];
  if (e.datagrams == nullptr || !attached(other(from))) return;
  std::vector<std::uint32_t> flying;
  for (std::uint32_t place = 0; place < e.datagrams->places.size(); ++place)
    if (e.datagrams->places[place].arrival.pending()) flying.push_back(place);
  std::ranges::sort(flying, {}, [&](std::uint32_t place) {
    return std::pair(e.datagrams->places[place].at, place);
  });
  Time behind = Time::min();
  for (const std::uint32_t place : flying) {
    Datagram& datagram = e.datagrams->places[place];
    const Time anew = e.out->draw_arrival(now, datagram.bytes.view().size());
    behind = std::max(behind, anew);
    if (datagram.at <= behind) continue;
    datagram.at = behind;
    datagram.arrival = ends_[other(from)].endpoint->reactor().schedule(
        behind, [this, from, place] { on_datagram(from, place); });
  }
  e.datagrams->last_arrival = std::min(e.datagrams->last_arrival, std::max(behind, now));
}

void MessageChannel::on_release(int end) {
  End& e = ends_[end];
  arm_arrival(other(end));
  if (ends_[other(end)].wants_room || ends_[other(end)].asked_taken) arm_credit(other(end));
  if (e.datagrams == nullptr || !attached(other(end)) || e.out->held()) return;
  VirtualReactor& reactor = ends_[other(end)].endpoint->reactor();
  for (std::size_t left = e.datagrams->held.size(); left > 0; --left) {
    const std::uint32_t place = e.datagrams->held.pop();
    e.datagrams->places[place].arrival =
        reactor.schedule(session_.fabric().now(), [this, end, place] { on_datagram(end, place); });
  }
}

}  // namespace tubing::sim::detail
