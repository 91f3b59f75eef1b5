// RawPeer and Insider: peers that break the rules, without a node and with good keys.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/rpc/node_hosts.h"
#include "tubing/crypto/handshake.h"
#include "tubing/rpc/wire.h"

namespace tubing::test {

/// One end of a connection that writes what a test says, and keeps what comes.
class RawPeer : public rpc::LinkEvents {
 public:
  void take(std::unique_ptr<rpc::Link> link) {
    link_ = std::move(link);
    link_->start(*this);
    if (!first_words.empty()) write(as_bytes(first_words));
  }
  /// Dials, and takes the link.
  void dial(rpc::Transport& transport, const Address& address) {
    dialing_ = transport.dial(address, [this](Result<std::unique_ptr<rpc::Link>> link) {
      REQUIRE(link);
      take(*std::move(link));
    });
  }
  /// Takes the first connection to `address`.
  void listen(rpc::Transport& transport, const Address& address) {
    auto listener = transport.listen(
        address, [this](std::unique_ptr<rpc::Link> link) { take(std::move(link)); });
    REQUIRE(listener);
    listener_ = *std::move(listener);
  }
  void write(ByteView bytes) { (void)link_->write(bytes); }
  void hang_up() { link_->close_write(); }

  std::string first_words;
  std::string received;
  std::optional<Error> end;

 protected:
  void on_bytes(MutableBytes bytes) override { received += as_text(bytes); }
  void on_writable() override {}
  void on_end(Error reason) override { end = std::move(reason); }

 private:
  std::unique_ptr<rpc::Dialing> dialing_;
  std::unique_ptr<rpc::Listener> listener_;
  std::unique_ptr<rpc::Link> link_;
};

/// A dialler with good keys that seals records of its own making. `received` has the plaintext of
/// what it is told.
class Insider final : public RawPeer {
 public:
  Insider(const crypto::Credentials& credentials, const crypto::Trust& trust,
          crypto::Entropy& entropy, Scheduler& scheduler)
      : scheduler_(scheduler) {
    auto made = crypto::Handshake::dial({.credentials = credentials,
                                         .trust = trust,
                                         .expected = crypto::ExpectedPeer::named("server")},
                                        entropy);
    REQUIRE(made);
    handshake_.emplace(*std::move(made));
    first_words = as_text(handshake_->output());
    handshake_->on_sent(handshake_->output().size());
  }

  bool up() const { return sealer_.has_value(); }
  /// Seals and writes one record; returns its bytes. Requires: up().
  Bytes say(ByteView plaintext) {
    Bytes record(plaintext.size() + crypto::kRecordOverheadBytes);
    std::memcpy(record.data() + crypto::kRecordHeaderBytes, plaintext.data(), plaintext.size());
    REQUIRE(sealer_->seal(record, plaintext.size()));
    write(record);
    return record;
  }
  template <class... Frames>
  Bytes say_frames(const Frames&... frames) {
    Bytes plaintext(4096);
    rpc::FrameWriter out(plaintext);
    (write_frame(out, frames), ...);
    return say(ByteView(plaintext).first(out.size()));
  }
  static rpc::SettingsFrame settings() {
    return {.early_items = rpc::kEarlyItems,
            .early_bytes = rpc::kEarlyBytes,
            .message_bytes_max = 1 << 20,
            .channels_max = 100};
  }

 private:
  void on_bytes(MutableBytes bytes) override {
    if (!up()) {
      auto fed = handshake_->feed(bytes, scheduler_.wall_now());
      REQUIRE(fed);
      const Bytes words(handshake_->output().begin(), handshake_->output().end());
      handshake_->on_sent(words.size());
      if (handshake_->state() != crypto::Handshake::State::done) return;
      crypto::HandshakeResult result = handshake_->take_result();
      sealer_.emplace(std::move(result.sealer));
      opener_.emplace(std::move(result.opener));
      write(words);
      bytes = bytes.subspan(*fed);
    }
    while (!bytes.empty()) {
      auto opened = opener_->open(bytes);
      REQUIRE(opened);
      REQUIRE(opened->has_value());
      received += as_text((*opened)->plaintext);
      bytes = bytes.subspan((*opened)->consumed);
    }
  }

  Scheduler& scheduler_;
  std::optional<crypto::Handshake> handshake_;
  std::optional<crypto::RecordSealer> sealer_;
  std::optional<crypto::RecordOpener> opener_;
};

}  // namespace tubing::test
