// MuxApp: an application over one Mux that follows a script, and holds the Mux to its word.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "tests/fuzz/input.h"
#include "tubing/rpc/mux.h"

namespace tubing::fuzz {

/// Small, so that a short script reaches them.
rpc::MuxLimits small_limits();

/// Calls are drawn from the script; those that a Mux forbids are left out. Promises about events
/// are asserted in the events.
class MuxApp final : public rpc::MuxEvents {
 public:
  explicit MuxApp(rpc::Side side) : mux(side, small_limits(), *this), side_(side) {}

  /// One call, of a kind and on a channel that the script chooses.
  void act(Input& in);
  /// Everything that a flush makes; each record was read and is well formed.
  std::vector<Bytes> flush(std::size_t record_bytes);
  void take_all();
  void release_all();

  /// What this side sent: message `index` of a channel is so many bytes of `index`.
  std::map<rpc::ChannelId, std::vector<std::size_t>> sent;
  /// The other side, where it is a MuxApp too: then what comes is checked against what it sent.
  const MuxApp* peer = nullptr;
  rpc::Mux mux;

 private:
  struct Talk {
    bool ours = false;
    bool accepted = false;  ///< By us where the peer opened it, by the peer where we did.
    bool released = false;
    bool closed = false;    ///< By us.
    bool ended = false;     ///< The peer said complete, or a reset came or went.
    bool stopped = false;   ///< By the peer.
    bool discards = false;  ///< By our stop.
    bool waits = false;     ///< A message was refused: on_writable is owed.
    std::uint64_t received = 0;
    std::deque<std::size_t> untaken;

    bool may_talk() const { return (ours || accepted) && !released; }
  };

  void on_settings(const rpc::SettingsFrame& settings) override;
  void on_open(rpc::ChannelId id, const rpc::OpenRequest& request) override;
  void on_accept(rpc::ChannelId id) override;
  void on_message(rpc::ChannelId id, ByteView message) override;
  void on_writable(rpc::ChannelId id) override;
  void on_close(rpc::ChannelId id) override;
  void on_stop(rpc::ChannelId id) override;
  void on_reset(rpc::ChannelId id, Code status, std::string_view text) override;
  void on_taken_by_peer(rpc::ChannelId, std::uint64_t) override {}
  void on_certificate(ByteView) override {}
  void on_pong(std::uint64_t number) override;
  void on_goaway() override;
  void on_goodbye() override;
  void on_refused(Code status, std::string_view text) override;

  /// The channel of an event: known, and not given back.
  Talk& heard(rpc::ChannelId id);
  void act_on(rpc::ChannelId id, unsigned what, Input& in);
  void send(rpc::ChannelId id, Talk& talk, std::size_t size);
  void take(rpc::ChannelId id, Talk& talk);
  void drop_untaken(Talk& talk);
  void check_stats() const;

  rpc::Side side_;
  std::map<rpc::ChannelId, Talk> talks_;
  std::size_t untaken_bytes_ = 0;
  std::uint64_t last_ping_ = 0;
  bool has_settings_ = false;
  bool goes_away_ = false;
  bool peer_goes_away_ = false;
  bool peer_is_done_ = false;
};

}  // namespace tubing::fuzz
