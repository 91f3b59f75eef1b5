#include "tubing/sim/detail/message_port.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/message_fabric.h"

namespace tubing::sim::detail {

MessagePort::~MessagePort() {
  if (channel_ && !send_ended_)
    channel_->reset(end_, Code::cancelled, "the peer dropped the channel unfinished");
  end_carrying();
  if (channel_) channel_->release(end_);
}

std::uint32_t MessagePort::accept(std::uint32_t capacity) {
  if (channel_) return channel_->accept(end_, capacity);
  return std::max(capacity, static_cast<std::uint32_t>(early_messages()));
}

void MessagePort::attach(channel::PortEvents& events) {
  TUBING_ASSERT(!attached_);
  attached_ = true;
  events_ = &events;
  if (const std::unique_ptr<Early> before = std::move(early_)) {
    for (const Bytes& message : before->messages) events.on_message(message);
    if (before->receive_end) events.on_receive_end(*before->receive_end);
    if (before->send_end) events.on_send_end(*before->send_end);
  }
  if (receive_over_) end_carrying();
}

void MessagePort::close_send() {
  send_ended_ = true;
  if (channel_) channel_->close_send(end_);
}

void MessagePort::stop() {
  if (channel_) channel_->stop(end_);
  end_carrying();
}

void MessagePort::reset(Code status, std::string_view text) {
  send_ended_ = true;
  if (channel_) channel_->reset(end_, status, text);
  end_carrying();
}

Result<std::uint64_t> MessagePort::next_passed(std::uint32_t ahead) {
  MessageSession& session = channel_->session();
  const int side = channel_->side_of(end_);
  if (Result<> places = session.check_places(side, ahead); !places)
    return std::move(places).error();
  return session.fabric().next_channel_id() + ahead;
}

std::unique_ptr<channel::Port> MessagePort::open_passed(const channel::ChannelSpec& spec) {
  MessageChannel& passed = channel_->session().open(channel_->side_of(end_), spec);
  std::unique_ptr<channel::Port> port = passed.make_port(0);
  channel_->carry(end_, passed);
  return port;
}

Result<channel::IncomingPort> MessagePort::claim(std::uint64_t number) {
  const auto found =
      std::ranges::find(unclaimed_, number, [](const auto& held) { return held.first; });
  if (found == unclaimed_.end()) {
    if (!channel_)
      return Error(Code::lost, "recv", "the connection broke before the channel in it was read");
    return Error(
        Code::invalid_argument, "recv",
        fmt::format("no channel {} came with this message, or it was taken before", number));
  }
  channel::IncomingPort claimed = std::move(found->second);
  unclaimed_.erase(found);
  return claimed;
}

void MessagePort::end_carrying() {
  receive_over_ = true;
  // One that is dropped may have carried others.
  while (!unclaimed_.empty()) {
    const channel::IncomingPort dropped = std::move(unclaimed_.back().second);
    unclaimed_.pop_back();
    dropped.port->reset(Code::cancelled, "the message that carried it was dropped");
  }
}

void MessagePort::on_carried(std::uint64_t number, channel::IncomingPort incoming) {
  if (receive_over_)
    return incoming.port->reset(Code::cancelled, "the channel that carries it takes nothing more");
  unclaimed_.emplace_back(number, std::move(incoming));
}

void MessagePort::on_message(ByteView message) {
  if (events_) return events_->on_message(message);
  if (!attached_) early().messages.emplace_back(message.begin(), message.end());
}

void MessagePort::on_writable() {
  if (events_) events_->on_writable();
}

void MessagePort::on_taken_by_peer(std::uint64_t messages) {
  if (events_) events_->on_taken_by_peer(messages);
}

void MessagePort::on_receive_end(Error how) {
  if (!attached_) {
    receive_over_ = true;
    if (!early().receive_end) early().receive_end.emplace(std::move(how));
    return;
  }
  end_carrying();
  if (events_) events_->on_receive_end(std::move(how));
}

void MessagePort::on_send_end(Error how) {
  send_ended_ = true;
  if (attached_) {
    if (events_) events_->on_send_end(std::move(how));
  } else if (!early().send_end) {
    early().send_end.emplace(std::move(how));
  }
}

void MessagePort::on_lost(const Error* why) {
  if (!channel_) return;
  accepted_ = channel_->accepted(end_);
  taken_ = channel_->known_taken(end_);
  channel_ = nullptr;
  if (why == nullptr) {
    events_ = nullptr;
    send_ended_ = true;
    return;
  }
  on_send_end(*why);
  on_receive_end(*why);
}

}  // namespace tubing::sim::detail
