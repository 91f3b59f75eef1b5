// SecureLink: a Link with its handshake and its records; above it lie plaintext records alone.
#pragma once

#include <memory>
#include <vector>

#include "tubing/channel/alarm.h"
#include "tubing/channel/base/byte_buffer.h"
#include "tubing/crypto/handshake.h"
#include "tubing/rpc/detail/flush_buffers.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// What a SecureLink asks of its session, and tells it.
class SecureLinkEvents {
 public:
  /// The handshake is done; records may be sent from now on.
  virtual void on_secured(const crypto::HandshakeResult& result) = 0;
  /// One record opened. An error ends the link with it, after the peer was told.
  virtual Result<> on_record(ByteView plaintext) = 0;
  /// A flush begins; `fill_record` follows until it returns 0.
  virtual void begin_flush() = 0;
  /// Makes the next record's plaintext; returns its size, 0 for none.
  virtual std::size_t fill_record(MutableBytes plaintext) = 0;
  virtual bool has_output() const = 0;
  /// Whether the last words have been made.
  virtual bool is_done() const = 0;
  /// The last words: what `fill_record` gives from now on tells the peer why we end.
  virtual void on_refusing(const Error& why) = 0;
  /// The link is of no more use, and why. Told once.
  virtual void on_link_end(const Error& why) = 0;
  /// The last event: the SecureLink may be destroyed, though not from inside this call.
  virtual void on_link_gone() = 0;

 protected:
  ~SecureLinkEvents() = default;
};

/// What has passed since the connection was made.
struct LinkCounts {
  std::uint64_t records_out = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t flushes = 0;
  std::uint64_t records_in = 0;
  std::uint64_t bytes_in = 0;
};

struct SecureLinkTimes {
  Duration handshake;  ///< From the connection to the peer's first record.
  Duration linger;     ///< How long a peer may take to hear our last words.
};

///   handshaking ──on_handshake_bytes()──▶ open ──fail()/close()──▶ closing ──finish()──▶ gone
///        └───────────────fail()───────────────────────────────────────┘
///
/// One write is under way at a time; what is made meanwhile leaves with the next. A write is made
/// at the end of a turn, out of all that the turn produced.
/// Threads: the Scheduler's alone.
class SecureLink final : private LinkEvents, private TurnHook {
 public:
  SecureLink(Scheduler& scheduler, FlushBuffers& buffers, std::unique_ptr<Link> link,
             crypto::Handshake handshake, SecureLinkEvents& events);
  ~SecureLink() = default;

  void start(SecureLinkTimes times);
  /// Sends what the session has to say at the end of this turn.
  void request_flush() { scheduler_.at_turn_end(*this); }
  /// Ends the link: says the last words first where there are keys to say them under.
  void fail(Error why);
  /// Sends what the session still has to say, then ends in order; at the latest after the linger
  /// time where `peer_is_leaving`.
  void close(bool peer_is_leaving);

  bool ended() const { return state_ >= State::closing; }
  std::string peer_address() const { return link_->peer_address(); }
  /// When the last record came. Half a record is no sign of life.
  Time last_heard() const { return last_heard_; }
  const LinkCounts& counts() const { return counts_; }
  std::size_t unwritten_bytes() const { return in_flight_ ? in_flight_bytes_ : 0; }
  std::size_t partial_bytes() const { return partial_.size(); }

 private:
  enum class State : std::uint8_t { handshaking, open, closing, gone };

  void on_bytes(MutableBytes bytes) override;
  void on_writable() override;
  void on_end(Error reason) override;
  void on_turn_end() override { flush(); }

  void on_handshake_bytes(MutableBytes bytes);
  void on_handshake_failed(Error why);
  void on_record_bytes(MutableBytes bytes);
  std::size_t complete_record(MutableBytes bytes);
  std::size_t open_records(MutableBytes bytes);
  void flush();
  std::size_t make_records(MutableBytes out);
  void write(std::unique_ptr<FlushBuffer> buffer, std::size_t bytes);
  void end_writing();
  void tell_end(const Error& why);
  void finish();

  Scheduler& scheduler_;
  FlushBuffers& buffers_;
  std::unique_ptr<Link> link_;
  SecureLinkEvents& events_;
  std::unique_ptr<crypto::Handshake> handshake_;  ///< Null once it is done.
  std::optional<crypto::RecordSealer> sealer_;
  std::optional<crypto::RecordOpener> opener_;
  ByteBuffer partial_;                      ///< The begin of a record whose rest has not come.
  std::unique_ptr<FlushBuffer> in_flight_;  ///< What the link is still writing.
  std::size_t in_flight_bytes_ = 0;
  Alarm alarm_;
  SecureLinkTimes times_{};
  LinkCounts counts_;
  Time last_heard_;
  State state_ = State::handshaking;
  bool heard_record_ = false;  ///< The peer is done with the handshake, too.
  bool close_after_flush_ = false;
  bool write_ended_ = false;  ///< close_write was called: nothing may be written any more.
  bool told_end_ = false;
};

}  // namespace tubing::rpc
