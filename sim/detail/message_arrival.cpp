// What arrives at an end of a channel in order.
#include <fmt/format.h>

#include "tubing/sim/detail/message_channel.h"
#include "tubing/sim/detail/message_endpoint.h"
#include "tubing/sim/detail/message_port.h"
#include "tubing/sim/message_fabric.h"

namespace tubing::sim::detail {
namespace {

std::string_view kind_name(PacketKind kind) {
  switch (kind) {
    case PacketKind::open: return "open";
    case PacketKind::accept: return "accept";
    case PacketKind::message: return "message";
    case PacketKind::close: return "close";
    case PacketKind::stop: return "stop";
    case PacketKind::reset: return "reset";
  }
  return "";
}

}  // namespace

void MessageChannel::arm_arrival(int end) {
  End& to = ends_[end];
  End& from = ends_[other(end)];
  if (to.arrival.pending() || from.flow.packets.empty() || to.endpoint == nullptr) return;
  if (from.out->held()) return;
  const Packet& first = from.flow.packets.front();
  if (!to.opened && first.kind != PacketKind::open) return;  // Its carrier has not arrived.
  to.arrival = to.endpoint->reactor().schedule(first.arrival, [this, end] { arrive(end); });
}

void MessageChannel::arrive(int end) {
  End& to = ends_[end];
  End& from = ends_[other(end)];
  MessageFlow& flow = from.flow;
  const Time now = now_at(end);
  busy_ = true;
  while (!flow.packets.empty() && flow.packets.front().arrival <= now && to.endpoint != nullptr) {
    if (is_exposed() && from.out->draw_deaf()) [[unlikely]] {
      ++from.out->traffic.deaf;
      note("deaf", end, now);
      flow.dead = true;
      (void)drop_flight(other(end));
      break_off(now, false);
      break;
    }
    const Packet packet = flow.packets.pop();
    const ByteView bytes = flow.bytes.view().first(packet.bytes);
    ++flow.arrived;
    --from.out->traffic.in_flight;
    ++from.out->traffic.delivered;
    note(kind_name(packet.kind), end, packet.arrival, bytes);
    flow.flying_bytes -= packet.bytes;
    on_packet(end, packet, bytes);
    // What it led to may have dropped the rest of the flight, and these bytes with it.
    if (flow.bytes.size() >= packet.bytes) flow.bytes.consume(packet.bytes);
  }
  busy_ = false;
  arm_arrival(end);
  forget_if_over();
}

void MessageChannel::on_packet(int end, const Packet& packet, ByteView bytes) {
  switch (packet.kind) {
    case PacketKind::open: return on_open(end);
    case PacketKind::accept: return on_accept(end);
    case PacketKind::message: return on_message(end, bytes);
    case PacketKind::close: return on_close(end);
    case PacketKind::stop: return on_stop(end);
    case PacketKind::reset: return on_reset(end);
  }
}

void MessageChannel::on_open(int end) {
  ends_[end].opened = true;
  ends_[end].endpoint->on_incoming({spec_, make_port(end)});
}

channel::IncomingPort MessageChannel::arrive_carried() {
  in_message_ = false;
  ends_[1].opened = true;
  channel::IncomingPort incoming{spec_, make_port(1)};
  arm_arrival(1);
  return incoming;
}

void MessageChannel::open_carried(int end, std::uint64_t packet) {
  MessageFlow& flow = ends_[other(end)].flow;
  while (!flow.carried.empty() && flow.carried.front().packet == packet) {
    MessageChannel& carried = *flow.carried.pop().channel;
    channel::IncomingPort incoming = carried.arrive_carried();
    if (MessagePort* port = ends_[end].port) {
      port->on_carried(carried.id(), std::move(incoming));
    } else {
      incoming.port->reset(Code::cancelled, "the channel that carries it takes nothing more");
    }
  }
}

void MessageChannel::on_accept(int end) {
  End& e = ends_[end];
  e.knows_peer = true;
  e.peer_capacity = ends_[other(end)].capacity;
  admit(end);
}

void MessageChannel::on_message(int end, ByteView bytes) {
  End& e = ends_[end];
  ++e.received;
  if (!ends_[other(end)].flow.carried.empty()) open_carried(end, ends_[other(end)].flow.arrived);
  if (e.port && !e.discards && !e.broken) e.port->on_message(bytes);
}

void MessageChannel::on_close(int end) {
  End& e = ends_[end];
  e.closed = true;
  if (e.port && !e.discards && !e.broken) e.port->on_receive_end(Error(Code::closed, "channel"));
}

void MessageChannel::on_stop(int end) {
  End& e = ends_[end];
  hear_all_taken(end);
  e.send_over = true;
  e.wants_room = false;
  if (e.port && !e.broken)
    e.port->on_send_end(Error(Code::stopped, "channel", "the receiver wants no more"));
}

void MessageChannel::on_reset(int end) {
  End& e = ends_[end];
  if (e.broken) return;
  hear_all_taken(end);
  e.broken = true;
  e.send_over = e.closed = true;
  e.wants_room = false;
  if (e.port == nullptr) return;
  const End& peer = ends_[other(end)];
  const Error how = Error::reset_by_peer(peer.reset_status, "channel", peer.reset_text);
  e.port->on_send_end(how);
  e.port->on_receive_end(how);
}

void MessageChannel::hasten_packets(int from, Time now) {
  MessageFlow& flow = ends_[from].flow;
  if (flow.packets.empty()) return;
  Time behind = Time::min();
  for (std::size_t i = 0; i < flow.packets.size(); ++i) {
    Packet& packet = flow.packets[i];
    const Time anew = ends_[from].out->draw_arrival(now, kHeadBytes + packet.bytes);
    packet.arrival = std::min(packet.arrival, std::max(behind, anew));
    behind = packet.arrival;
  }
  flow.last_arrival = behind;
  ends_[other(from)].arrival.cancel();
  arm_arrival(other(from));
}

/// Drops what the end has under way. Returns: how many that were.
std::size_t MessageChannel::drop_flight(int from) {
  End& e = ends_[from];
  MessageFlow& flow = e.flow;
  const std::size_t count = flow.packets.size();
  if (count == 0) return 0;
  ends_[other(from)].arrival.cancel();
  e.out->traffic.in_flight -= count;
  flow.arrived += count;
  flow.packets.clear();
  flow.bytes.clear();
  flow.flying_bytes = 0;
  while (!flow.carried.empty()) {
    MessageChannel& carried = *flow.carried.pop().channel;
    carried.in_message_ = false;
    carried.break_off(session_.fabric().now(), false);
  }
  return count;
}

}  // namespace tubing::sim::detail
