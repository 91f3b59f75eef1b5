#include "tubing/rpc/detail/node_port.h"

namespace tubing::rpc {

NodePort::~NodePort() {
  with_mux([&](Mux& mux) {
    if (!send_ended_) mux.reset(id_, Code::cancelled, "the peer dropped the channel unfinished");
    mux.release(id_);
  });
  if (session_) session_->forget(id_);
}

std::uint32_t NodePort::accept(std::uint32_t capacity) {
  with_mux([&](Mux& mux) { mux.accept(id_, capacity); });
  const std::size_t early = session_ ? session_->early_items() : early_.size();
  return std::max(capacity, static_cast<std::uint32_t>(early));
}

void NodePort::attach(channel::PortEvents& events) {
  TUBING_ASSERT(!attached_);
  attached_ = true;
  events_ = &events;
  for (const Bytes& message : std::exchange(early_, {})) events.on_message(message);
  if (receive_end_) events.on_receive_end(*receive_end_);
  if (send_end_) events.on_send_end(*send_end_);
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
}

void NodePort::reset(Code status, std::string_view text) {
  send_ended_ = true;
  with_mux([&](Mux& mux) { mux.reset(id_, status, text); });
}

std::uint64_t NodePort::accepted() const { return 0; }

std::uint64_t NodePort::taken_by_peer() const {
  return session_ ? session_->mux_.taken_by_peer(id_) : 0;
}

Result<std::uint64_t> NodePort::next_passed(std::uint32_t) {
  return Error(Code::unimplemented, "send");
}

std::unique_ptr<channel::Port> NodePort::open_passed(const channel::ChannelSpec&) {
  return nullptr;
}

Result<channel::IncomingPort> NodePort::claim(std::uint64_t) {
  return Error(Code::unimplemented, "recv");
}

void NodePort::on_taken_by_peer(std::uint64_t messages) {
  if (events_) events_->on_taken_by_peer(messages);
}

void NodePort::on_message(ByteView message) {
  if (events_) return events_->on_message(message);
  if (!attached_) early_.emplace_back(message.begin(), message.end());
}

void NodePort::on_writable() {
  if (events_) events_->on_writable();
}

void NodePort::on_receive_end(Error how) {
  if (attached_) {
    if (events_) events_->on_receive_end(std::move(how));
  } else if (!receive_end_) {
    receive_end_.emplace(std::move(how));
  }
}

void NodePort::on_send_end(Error how) {
  send_ended_ = true;
  if (attached_) {
    if (events_) events_->on_send_end(std::move(how));
  } else if (!send_end_) {
    send_end_.emplace(std::move(how));
  }
}

void NodePort::on_lost(const Error& why) {
  session_ = nullptr;
  on_send_end(why);
  on_receive_end(why);
}

}  // namespace tubing::rpc
