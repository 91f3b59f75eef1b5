#include "tubing/sim/detail/message_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/detail/message_endpoint.h"
#include "tubing/sim/world.h"

namespace tubing::sim::detail {

MessageSession::MessageSession(MessageFabric& fabric, MessageEndpoint& dialler,
                               MessageEndpoint& listener)
    : fabric_(fabric) {
  MessageEndpoint* const endpoints[] = {&dialler, &listener};
  for (const int side : {0, 1}) {
    Side& s = sides_[side];
    s.endpoint = endpoints[side];
    s.info = s.endpoint->info();
    s.process = s.endpoint->process();
    s.host = s.endpoint->host();
    s.out = &fabric.route(s.host, endpoints[1 - side]->host());
    s.endpoint->on_session(*this);
  }
}

MessageSession::~MessageSession() = default;

bool MessageSession::is_named(int side, std::string_view name) const {
  const PeerInfo& info = *sides_[side].info;
  return name == info.name || name == info.address || name == info.key;
}

Result<> MessageSession::check_places(int side, std::uint32_t ahead) const {
  const std::uint32_t most = fabric_.conditions().channels_max;
  if (sides_[side].open + ahead < most) return {};
  return Error(Code::resource_exhausted, "open",
               fmt::format("{} channels to {} are open, the most that the limit allows; close some "
                           "first",
                           sides_[side].open, sides_[1 - side].info->name));
}

MessageChannel& MessageSession::open(int side, const channel::ChannelSpec& spec) {
  auto channel = std::make_unique<MessageChannel>(*this, fabric_.take_channel_id(), spec, side);
  channel->place = channels_.size();
  return *channels_.emplace_back(std::move(channel));
}

MessageChannel* MessageSession::find(std::uint64_t id) {
  for (const auto& channel : channels_)
    if (channel->id() == id) return channel.get();
  return nullptr;
}

void MessageSession::remove(MessageChannel& channel) {
  if (walks_ > 0) return;  // It is swept behind the walk.
  const std::size_t place = channel.place;
  std::swap(channels_[place], channels_.back());
  channels_[place]->place = place;
  channels_.pop_back();
  if (channels_.empty()) fabric_.forget_if_over(*this);
}

void MessageSession::sweep() {
  if (walks_ > 0) return;
  std::erase_if(channels_, [](const auto& channel) { return channel->is_over(); });
  for (std::size_t i = 0; i < channels_.size(); ++i) channels_[i]->place = i;
  fabric_.forget_if_over(*this);
}

template <class F>
void MessageSession::for_each_channel(F f) {
  ++walks_;
  for (std::size_t i = 0; i < channels_.size(); ++i) f(*channels_[i]);
  --walks_;
}

void MessageSession::lose(int side, const Error& why) {
  Side& s = sides_[side];
  if (s.endpoint == nullptr) return;
  s.endpoint->on_session_gone(*this);
  s.loss.cancel();
  for_each_channel([&](MessageChannel& channel) { channel.lose(channel.end_of(side), why); });
  s.endpoint = nullptr;
  // The other side hears no more from this one, and notices, though it sends nothing itself.
  if (sides_[1 - side].endpoint != nullptr)
    expect_loss(1 - side, fabric_.now() + s.out->draw_notice(), Notice::timeout);
  sweep();
}

void MessageSession::detach(int side, Departure how) {
  Side& s = sides_[side];
  const Side& peer = sides_[1 - side];
  s.endpoint->on_session_gone(*this);
  s.loss.cancel();
  s.endpoint = nullptr;
  if (peer.endpoint != nullptr) {
    const bool heard = how != Departure::silent && s.out->connected() && !s.out->held();
    const Duration after = heard ? s.out->draw_latency() : s.out->draw_notice();
    const Time at = fabric_.now() + after;
    expect_loss(1 - side, how == Departure::ended ? behind_all_of(side, at) : at,
                heard ? Notice::word : Notice::timeout);
  }
  for_each_channel([&](MessageChannel& channel) { channel.forget_process(channel.end_of(side)); });
  sweep();
}

Time MessageSession::behind_all_of(int side, Time at) const {
  for (const auto& channel : channels_)
    at = std::max(at, channel->last_arrival(channel->end_of(side)) + Duration(1));
  return at;
}

void MessageSession::on_sent_to_nobody(int side) {
  const Side& s = sides_[side];
  if (s.endpoint == nullptr || sides_[1 - side].endpoint != nullptr) return;
  const bool answered = connected() && fabric_.world().host(sides_[1 - side].host).powered();
  const Duration after = answered ? s.out->draw_latency() + sides_[1 - side].out->draw_latency()
                                  : s.out->draw_notice();
  expect_loss(side, s.endpoint->reactor().world_now() + after,
              answered ? Notice::word : Notice::timeout);
}

void MessageSession::expect_loss(int side, Time at, Notice by) {
  Side& s = sides_[side];
  if (s.loss.pending() && s.loss_at <= at) {
    if (s.by == Notice::silence) s.by = by;
    return;
  }
  s.by = by;
  s.loss_at = at;
  s.loss = s.endpoint->reactor().schedule(at, [this, side] {
    const std::string_view peer = sides_[1 - side].info->name;
    lose(side, Error(Code::lost, "channel", fmt::format("the connection with {} broke", peer)));
  });
}

void MessageSession::on_link_change(const MessageRoute& route, bool was_connected) {
  for (const int side : {0, 1}) {
    if (sides_[side].out != &route) continue;
    for_each_channel([&](MessageChannel& channel) {
      if (!route.connected()) return channel.on_cut(channel.end_of(side));
      channel.on_release(channel.end_of(side));
    });
  }
  for (const int side : {0, 1}) {
    Side& s = sides_[side];
    if (s.endpoint == nullptr) continue;
    if (was_connected && !route.connected())
      expect_loss(side, fabric_.now() + s.out->draw_notice(), Notice::silence);
    if (connected() && s.by == Notice::silence && sides_[1 - side].endpoint != nullptr)
      s.loss.cancel();
  }
  sweep();
}

void MessageSession::on_link_ease(MessageRoute& route) {
  for (const int side : {0, 1}) {
    if (sides_[side].out != &route) continue;
    for (const auto& channel : channels_) channel->hasten(channel->end_of(side));
    const Side& peer = sides_[1 - side];
    if (peer.loss.pending() && peer.by == Notice::word)
      expect_loss(1 - side, behind_all_of(side, fabric_.now() + route.draw_latency()),
                  Notice::word);
  }
}

void MessageSession::deliver_late(const MessageRoute& route, const KeptMessage& message, Time now) {
  MessageChannel* const channel = find(message.channel);
  if (channel == nullptr) return;
  if (sides_[channel->side_of(message.from)].out != &route) return;
  channel->deliver_late(message.from, message.bytes, now);
}

}  // namespace tubing::sim::detail
