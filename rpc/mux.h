// Mux: many channels over one ordered stream of records. Bytes in, bytes and events out.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/rpc/process_budget.h"
#include "tubing/rpc/stats.h"
#include "tubing/rpc/wire.h"

namespace tubing::rpc {

/// Which end of the session this is. The dialler's channels have odd ids, the listener's even.
enum class Side : std::uint8_t { dialler, listener };

/// Early credit that every peer grants; `settings` may raise it, never lower it.
inline constexpr std::uint32_t kEarlyItems = 16;
inline constexpr std::uint32_t kEarlyBytes = 16 * 1024;
/// The smallest record that fill_record can be given. Units: bytes.
inline constexpr std::size_t kRecordBytesMin = 2048;

/// Every bound of one session's Mux. Units: bytes, where the name says so.
///
/// Requires: early_bytes <= message_bytes_max <= half of receive_bytes_max and of the process's
/// budget; message_bytes_max and outbox_bytes_max at most 1 GiB; early_* at least kEarly*;
/// channel_outbox_bytes <= outbox_bytes_max; flush_bytes_max at least kRecordBytesMin;
/// channels_max, class_ratio and window_bytes_min above 0; frame_bytes_max from 1 to 1 GiB;
/// window_*_max below 2^32.
struct MuxLimits {
  /// Of one side, open at a time. As many again of the peer's may have ended without being released
  /// by our application; one more is refused.
  std::uint32_t channels_max = 1024;
  std::uint32_t early_items = kEarlyItems;
  std::uint32_t early_bytes = kEarlyBytes;
  std::size_t frame_bytes_max = 16 * 1024;   ///< Payload of one data frame that we send.
  std::size_t flush_bytes_max = 256 * 1024;  ///< Plaintext that one flush makes.
  /// A class waits while a more urgent one has something to send, except that it falls behind by at
  /// most so many bytes of theirs, and from there on may send one byte for every `class_ratio`.
  std::size_t class_wait_bytes_max = 256 * 1024;
  std::uint32_t class_ratio = 16;
  std::size_t outbox_bytes_max = 1024 * 1024;        ///< Of all channels, but for one large value.
  std::size_t channel_outbox_bytes = 64 * 1024;      ///< One channel's share of it.
  std::size_t receive_bytes_max = 64 * 1024 * 1024;  ///< Half for windows, half for large values.
  std::size_t message_bytes_max = 16 * 1024 * 1024;
  std::size_t window_bytes_min = 2 * 1024;    ///< The least initial grant of a channel.
  std::size_t window_bytes_max = 256 * 1024;  ///< The greatest.
  /// What a grant may grow to where it was all used and its values taken. Only while the budget is
  /// half free: beyond that grown windows shrink again.
  std::size_t window_grown_max = 4 * 1024 * 1024;
  std::size_t spare_bytes_max = 1024 * 1024;  ///< Blocks of memory kept for the next message.
  /// Keepalive that the listener announces and the dialler follows: after how long without a record
  /// from the peer a side pings, and when it gives the peer up. Units: milliseconds; 0: never.
  std::uint32_t ping_after_ms = 15'000;
  std::uint32_t dead_after_ms = 45'000;
  /// Records are filled up to a multiple of this, so that their sizes tell less. 0: never.
  std::size_t pad_to_bytes = 0;
  /// Channels that came in messages and were not accepted yet; one more is refused.
  std::uint32_t passes_unclaimed_max = 256;
  std::uint32_t certificates_max = 8;  ///< That the peer may show between two flushes.
  std::uint32_t pings_max = 64;        ///< Pings that the peer may send between two flushes.
  std::uint32_t credits_slack = 64;    ///< Credit frames on a channel beyond two a sent message.
};

/// What an opener says of its channel. The views are read within the call.
struct OpenRequest {
  std::string_view service = {};
  std::string_view out_type = {};  ///< What the opener sends.
  std::string_view in_type = {};   ///< What the opener receives.
  std::uint32_t capacity = 1;      ///< Items that the opener has room for. At least 1.
  ChannelClass channel_class = ChannelClass::normal;
  Delivery delivery = Delivery::ordered;
  /// The channel in one of whose messages this one travels; 0 where it is opened to a service.
  ChannelId carrier{};
};

/// What a Mux tells its owner, from within on_record, and on_writable from within fill_record too.
/// Every call on the Mux is allowed inside, except on_record, fill_record and its destructor.
class MuxEvents {
 public:
  virtual ~MuxEvents() = default;
  /// The peer's settings came: the first event of a session that was not refused.
  virtual void on_settings(const SettingsFrame& settings) = 0;
  /// The peer opened a channel. Answer with accept or reset, now or later; values may come before.
  virtual void on_open(ChannelId id, const OpenRequest& request) = 0;
  /// The peer serves the channel that we opened.
  virtual void on_accept(ChannelId id) = 0;
  /// A whole message. The view is lent for this call. Answer with `taken` when the application has
  /// taken the value, now or later.
  virtual void on_message(ChannelId id, ByteView message) = 0;
  /// What may_send or commit refused would fit now.
  virtual void on_writable(ChannelId id) = 0;
  /// The peer said complete; every message came before. Not told after our own stop.
  virtual void on_close(ChannelId id) = 0;
  /// The peer wants no more; what was accepted and not yet sent is dropped, sending has ended. Also
  /// told after our close, where messages of ours came and will never be taken.
  virtual void on_stop(ChannelId id) = 0;
  /// The peer broke the channel off: both directions have ended.
  virtual void on_reset(ChannelId id, Code status, std::string_view text) = 0;
  /// The peer's code has taken `messages` of ours in all, as its credit tells.
  virtual void on_taken_by_peer(ChannelId id, std::uint64_t messages) = 0;
  /// The peer shows a newer certificate; crypto/renewal.h reads it. The view is lent.
  virtual void on_certificate(ByteView renewal) = 0;
  /// The peer answered our ping.
  virtual void on_pong(std::uint64_t number) = 0;
  /// The peer takes no more channels; those that are open go on.
  virtual void on_goaway() = 0;
  /// The peer has said everything: the end of the stream behind it is in order.
  virtual void on_goodbye() = 0;
  /// The peer ends the session, and why.
  virtual void on_refused(Code status, std::string_view text) = 0;
  /// There is something to send though nothing was called: another session gave back memory that
  /// this one waited for. No call on the Mux inside.
  virtual void on_output() {}
};

/// The channels of one session: ids, credit, reassembly, and a fair order of frames.
///
/// A channel lives until both directions have ended and the application has released it. Calls on
/// a channel that has ended do nothing; `commit` and `begin_message` say what they require.
/// Owns: what was accepted and not yet sent, and messages that are still incomplete.
/// Threads: one. Source: Shreedhar and Varghese, "Efficient fair queuing using deficit round
/// robin".
class Mux {
 public:
  /// Requires: `events` outlives the Mux, and `process` too, where it is given.
  Mux(Side side, const MuxLimits& limits, MuxEvents& events, ProcessBudget* process = nullptr);
  ~Mux();

  /// Opens a channel; messages may be sent at once, within the early credit.
  /// Errors: resource_exhausted where as many are open as the peer allows, or so many more have
  /// ended that the peer's application still holds; unavailable after a goaway, goodbye or refused;
  /// invalid_argument where a name is longer than kNameBytesMax, the capacity is 0, or the carrier
  /// is a datagram channel; failed_precondition where the carrier cannot send any more.
  Result<ChannelId> open(const OpenRequest& request);
  /// The id that the open after `ahead` others will give. Errors: as open, for want of room.
  Result<ChannelId> next_open(std::uint32_t ahead) const;
  /// Serves a channel of which on_open told, with room for `capacity` items.
  /// Requires: capacity > 0; called once.
  void accept(ChannelId id, std::uint32_t capacity);
  /// Breaks both directions off, or refuses an open. What was not yet sent is dropped.
  void reset(ChannelId id, Code status, std::string_view text);
  /// The application holds the channel no more: it owes the mux no `taken`, and gets no events. A
  /// direction still open ends: unfinished sending by reset(cancelled), else receiving by stop. So
  /// does one whose messages were not all taken, so that nobody waits for that.
  void release(ChannelId id);

  /// Whether a small message would be accepted: credit for an item, and room. Where it is false,
  /// on_writable follows once it is true, unless sending ends first. Always true for datagrams.
  bool may_send(ChannelId id);
  /// Begins a message; its bytes are to be appended to what this returns, then commit or rollback.
  /// Requires: sending has not ended; one message at a time on a channel.
  ByteBuffer& begin_message(ChannelId id);
  /// Accepts the message. Returns: false where it has no credit or no room: it is rolled back, and
  /// on_writable follows once it would fit; a datagram is dropped instead, and the answer is true.
  /// Errors: invalid_argument over what we or the peer allow for a message, and for a datagram over
  /// its channel's share of the outbox; it is rolled back.
  Result<bool> commit(ChannelId id);
  void rollback(ChannelId id);
  /// begin_message, append, commit. Errors: also closed, stopped or reset where sending has ended.
  Result<bool> try_send(ChannelId id, ByteView message);
  /// Everything was said; the peer learns it after the last message.
  /// Requires: the channel is ours or was accepted.
  void close(ChannelId id);

  /// The application took values out of its buffer: the peer's credit grows.
  void taken(ChannelId id, std::uint64_t items, std::uint64_t bytes);
  /// Nothing more is wanted: what still comes is dropped, and the peer is told.
  /// Requires: the channel is ours or was accepted.
  void stop(ChannelId id);
  /// How many of our messages the peer's code can be known to have taken, from its credit.
  std::uint64_t taken_by_peer(ChannelId id) const;

  /// How many of our messages were accepted on the channel; 0 where it has been released.
  std::uint64_t accepted(ChannelId id) const;
  /// Shows the peer a newer certificate, at most kRenewalBytesMax. The last one given counts.
  void certificate(ByteView renewal);
  /// Asks for a pong. Returns its number.
  std::uint64_t ping();
  /// Refuses every open from now on, but for channels that are passed on open ones.
  void goaway();
  /// Sends what can be sent, then says that nothing follows.
  void goodbye();
  /// Ends the session with a reason instead of anything else; nothing follows it.
  void refuse(Code status, std::string_view text);

  /// Takes one record's plaintext. Errors: failed_precondition where the peer speaks another
  /// version, else invalid_argument: the peer broke the protocol, and the session is to end.
  Result<> on_record(ByteView plaintext);

  /// Whether fill_record has something to say in a new flush.
  bool has_output() const;
  /// Whether our goodbye or refused has been made: nothing follows it.
  bool is_done() const;
  /// Begins a flush: flush_bytes_max may be made from now on.
  void begin_flush();
  /// Makes the next record's plaintext. Returns its size, 0 where nothing is left or the flush has
  /// made its bytes. Requires: plaintext.size() >= kRecordBytesMin.
  std::size_t fill_record(MutableBytes plaintext);

  /// Channels that still take a place, for limits and tests.
  std::size_t channels() const;
  /// What the session's channels hold and have done, in the order of their ids.
  std::vector<ChannelStats> stats() const;
  /// What is promised to the peer now: the channels' windows, and large messages on their way.
  std::uint64_t promised_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tubing::rpc
