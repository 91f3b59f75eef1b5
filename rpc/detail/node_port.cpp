#include "tubing/rpc/detail/node_port.h"

namespace tubing::rpc {

NodePort::~NodePort() {
  with_mux([&](Mux& mux) {
    if (!send_ended_) mux.reset(id_, Code::cancelled, "the peer dropped the channel unfinished");
    mux.release(id_);
  });
  end_passing();
  if (session_) session_->forget(id_);
}

std::uint32_t NodePort::accept(std::uint32_t capacity) {
  with_mux([&](Mux& mux) { mux.accept(id_, capacity); });
  const std::size_t early = session_ ? session_->early_items()
                            : early_ ? early_->messages.size()
                                     : 0;
  return std::max(capacity, static_cast<std::uint32_t>(early));
}

void NodePort::attach(channel::PortEvents& events) {
  TUBING_ASSERT(!attached_);
  attached_ = true;
  events_ = &events;
  if (const std::unique_ptr<Early> before = std::move(early_)) {
    for (const Bytes& message : before->messages) events.on_message(message);
    if (before->receive_end) events.on_receive_end(*before->receive_end);
    if (before->send_end) events.on_send_end(*before->send_end);
  }
  if (receive_over_) end_passing();
}

ByteBuffer& NodePort::begin_message() { return session_->mux_.begin_message(id_); }

Result<bool> NodePort::commit() {
  Result<bool> accepted = session_->mux_.commit(id_);
  session_->secure_.request_flush();
  return accepted;
}

void NodePort::taken(std::uint64_t items, std::uint64_t bytes) {
  if (!session_) return;
  session_->mux_.taken(id_, items, bytes);
  if (session_->mux_.has_output()) session_->secure_.request_flush();
}

void NodePort::close_send() {
  send_ended_ = true;
  with_mux([&](Mux& mux) { mux.close(id_); });
}

void NodePort::stop() {
  with_mux([&](Mux& mux) { mux.stop(id_); });
  end_passing();
}

void NodePort::reset(Code status, std::string_view text) {
  send_ended_ = true;
  with_mux([&](Mux& mux) { mux.reset(id_, status, text); });
  end_passing();
}

Result<std::uint64_t> NodePort::next_passed(std::uint32_t ahead) {
  Result<ChannelId> id = session_->mux_.next_open(ahead);
  if (!id) return std::move(id).error();
  return number(*id);
}

std::unique_ptr<channel::Port> NodePort::open_passed(const channel::ChannelSpec& spec) {
  Result<std::unique_ptr<channel::Port>> port = session_->open(spec, id_);
  TUBING_ASSERT(port.has_value() && "next_passed said that it may be opened");
  return *std::move(port);
}

Result<channel::IncomingPort> NodePort::claim(std::uint64_t number) {
  if (!session_) return Error(Code::lost, "recv", "the session ended before the channel in it");
  return session_->claim(id_, ChannelId{number});
}

void NodePort::end_passing() {
  receive_over_ = true;
  if (session_) session_->drop_unclaimed(id_);
}

void NodePort::on_taken_by_peer(std::uint64_t messages) {
  taken_ = std::max(taken_, messages);
  if (events_) events_->on_taken_by_peer(messages);
}

void NodePort::on_message(ByteView message) {
  if (events_) return events_->on_message(message);
  if (!attached_) early().messages.emplace_back(message.begin(), message.end());
}

void NodePort::on_writable() {
  if (events_) events_->on_writable();
}

void NodePort::on_receive_end(Error how) {
  receive_over_ = true;
  if (!attached_) {
    if (!early().receive_end) early().receive_end.emplace(std::move(how));
    return;
  }
  if (session_) session_->drop_unclaimed(id_);
  if (events_) events_->on_receive_end(std::move(how));
}

void NodePort::on_send_end(Error how) {
  send_ended_ = true;
  if (attached_) {
    if (events_) events_->on_send_end(std::move(how));
  } else if (!early().send_end) {
    early().send_end.emplace(std::move(how));
  }
}

void NodePort::on_lost(const Error& why) {
  accepted_ = accepted();
  session_ = nullptr;
  on_send_end(why);
  on_receive_end(why);
}

}  // namespace tubing::rpc
