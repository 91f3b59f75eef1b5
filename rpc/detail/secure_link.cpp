#include "tubing/rpc/detail/secure_link.h"

#include <fmt/format.h>

#include "tubing/rpc/mux.h"

namespace tubing::rpc {

using crypto::Handshake;
using crypto::kRecordHeaderBytes;
using crypto::kRecordOverheadBytes;
using crypto::kRecordPlaintextBytesMax;
using crypto::kRecordTagBytes;

SecureLink::SecureLink(Scheduler& scheduler, FlushBuffers& buffers, std::unique_ptr<Link> link,
                       Handshake handshake, SecureLinkEvents& events)
    : scheduler_(scheduler),
      buffers_(buffers),
      link_(std::move(link)),
      events_(events),
      handshake_(std::make_unique<Handshake>(std::move(handshake))),
      alarm_(scheduler, [this] {
        if (state_ == State::closing) return finish();
        if (close_after_flush_) return end_writing();
        fail(Error(
            Code::deadline_exceeded, "handshake",
            fmt::format(
                "the peer did not finish it within {} ms",
                std::chrono::duration_cast<std::chrono::milliseconds>(times_.handshake).count())));
      }) {}

void SecureLink::start(SecureLinkTimes times) {
  times_ = times;
  last_heard_ = scheduler_.now();
  alarm_.set(times.handshake);
  link_->start(*this);
  request_flush();
}

void SecureLink::on_bytes(MutableBytes bytes) {
  if (ended()) return;
  counts_.bytes_in += bytes.size();
  if (state_ == State::handshaking) return on_handshake_bytes(bytes);
  on_record_bytes(bytes);
}

void SecureLink::on_handshake_bytes(MutableBytes bytes) {
  Result<std::size_t> fed = handshake_->feed(bytes, scheduler_.wall_now());
  request_flush();
  if (!fed) return on_handshake_failed(std::move(fed).error());
  if (handshake_->state() != Handshake::State::done) return;
  crypto::HandshakeResult result = handshake_->take_result();
  sealer_.emplace(std::move(result.sealer));
  opener_.emplace(std::move(result.opener));
  state_ = State::open;
  events_.on_secured(result);
  on_record_bytes(bytes.subspan(*fed));
}

void SecureLink::on_handshake_failed(Error why) {
  if (handshake_->state() == Handshake::State::refusing)
    sealer_.emplace(handshake_->take_refusal_sealer());
  fail(std::move(why));
}

void SecureLink::on_record_bytes(MutableBytes bytes) {
  const std::uint64_t records_before = counts_.records_in;
  if (!partial_.empty()) bytes = bytes.subspan(complete_record(bytes));
  if (!ended()) bytes = bytes.subspan(open_records(bytes));
  if (ended()) return;
  if (counts_.records_in != records_before) last_heard_ = scheduler_.now();
  partial_.append(bytes);
  if (events_.has_output()) request_flush();
}

/// Adds bytes to the record that has begun, no more than it needs, and opens it when it is whole.
std::size_t SecureLink::complete_record(MutableBytes bytes) {
  std::size_t used = 0;
  const auto add_up_to = [&](std::size_t wanted) {
    if (partial_.size() >= wanted) return;
    const std::size_t n = std::min(wanted - partial_.size(), bytes.size() - used);
    partial_.append(bytes.subspan(used, n));
    used += n;
  };
  add_up_to(kRecordHeaderBytes);
  if (partial_.size() < kRecordHeaderBytes) return used;
  add_up_to(kRecordHeaderBytes + load_be16(partial_.view().data()));
  const std::size_t opened = open_records(partial_.mutable_view());
  if (!ended()) partial_.consume(opened);
  return used;
}

/// Opens all whole records; returns how many bytes they were.
std::size_t SecureLink::open_records(MutableBytes bytes) {
  std::size_t used = 0;
  while (used < bytes.size()) {
    Result<std::optional<crypto::OpenedRecord>> opened = opener_->open(bytes.subspan(used));
    if (!opened) {
      fail(std::move(opened).error());
      break;
    }
    if (!opened->has_value()) break;
    used += (*opened)->consumed;
    ++counts_.records_in;
    if (!std::exchange(heard_record_, true)) alarm_.clear();
    Result<> taken = events_.on_record((*opened)->plaintext);
    if (!taken) fail(std::move(taken).error());
    if (ended()) break;
  }
  return used;
}

void SecureLink::flush() {
  if (state_ == State::gone || in_flight_ || write_ended_) return;
  std::unique_ptr<FlushBuffer> buffer = buffers_.take();
  std::size_t size = 0;
  if (handshake_) {
    const ByteView words = handshake_->output();
    std::memcpy(buffer->bytes.data(), words.data(), words.size());
    size = words.size();
    handshake_->on_sent(size);
    if (state_ != State::handshaking) handshake_.reset();
  }
  if (sealer_) size += make_records(MutableBytes(buffer->bytes).subspan(size));
  write(std::move(buffer), size);
}

std::size_t SecureLink::make_records(MutableBytes out) {
  std::size_t size = 0;
  events_.begin_flush();
  while (out.size() - size > kRecordOverheadBytes + kRecordBytesMin) {
    const MutableBytes room = out.subspan(size);
    const std::size_t most =
        std::min(room.size() - kRecordOverheadBytes, std::size_t{kRecordPlaintextBytesMax});
    const std::size_t plain = events_.fill_record(room.subspan(kRecordHeaderBytes, most));
    if (plain == 0) break;
    Result<std::size_t> sealed = sealer_->seal(room, plain);
    if (!sealed) {
      tell_end(sealed.error());
      finish();
      break;
    }
    size += *sealed;
    ++counts_.records_out;
  }
  return size;
}

void SecureLink::write(std::unique_ptr<FlushBuffer> buffer, std::size_t bytes) {
  if (state_ == State::gone) return;
  const bool done = bytes == 0 || link_->write(ByteView(buffer->bytes).first(bytes));
  counts_.flushes += bytes > 0 ? 1 : 0;
  counts_.bytes_out += bytes;
  if (!done) {
    in_flight_ = std::move(buffer);
    in_flight_bytes_ = bytes;
    return;
  }
  buffers_.give_back(std::move(buffer));
  if (sealer_ && events_.has_output()) return request_flush();
  if (state_ == State::closing || (close_after_flush_ && events_.is_done())) end_writing();
}

void SecureLink::on_writable() {
  buffers_.give_back(std::move(in_flight_));
  flush();
}

void SecureLink::fail(Error why) {
  if (ended()) return;
  state_ = State::closing;
  if (sealer_) events_.on_refusing(why);
  alarm_.set(times_.linger);
  request_flush();
  tell_end(why);
}

void SecureLink::close(bool peer_is_leaving) {
  if (ended()) return;
  if (state_ == State::handshaking) return fail(Error(Code::cancelled, "session", "closed"));
  close_after_flush_ = true;
  if (peer_is_leaving && !alarm_.is_set()) alarm_.set(times_.linger);
  request_flush();
}

void SecureLink::end_writing() {
  if (state_ != State::closing) {
    state_ = State::closing;
    alarm_.set(times_.linger);
    tell_end(Error(Code::cancelled, "session", "closed by this side"));
  }
  write_ended_ = true;
  link_->close_write();
}

void SecureLink::on_end(Error reason) {
  if (state_ == State::handshaking) {
    if (reason.code() == Code::closed)
      reason = handshake_->end_of_stream();
    else if (handshake_->awaits_first_word())
      reason = Error(
          reason.code(), "link",
          fmt::format("{}; it said nothing before: it may be busy, or no Tubing node; try again "
                      "later",
                      reason.detail()));
    tell_end(reason);
  } else {
    tell_end(reason);
  }
  finish();
}

void SecureLink::tell_end(const Error& why) {
  if (std::exchange(told_end_, true)) return;
  events_.on_link_end(why);
}

void SecureLink::finish() {
  if (std::exchange(state_, State::gone) == State::gone) return;
  alarm_.clear();
  events_.on_link_gone();
}

}  // namespace tubing::rpc
