// PortBinding: joins the typed cores of a Duplex to the Port that carries their encoded values.
#pragma once

#include <memory>

#include "tubing/channel/codec.h"
#include "tubing/channel/detail/channel_ref.h"
#include "tubing/channel/detail/passed_ends.h"
#include "tubing/channel/network.h"

namespace tubing::detail {

/// Errors: invalid_argument, naming both sides' types or deliveries, where they differ.
Result<> compare_specs(const channel::ChannelSpec& ours, const channel::ChannelSpec& opener);

/// Errors: invalid_argument for a capacity of 0, which exists only in process, and for datagrams
/// that carry ends of channels.
Result<> check_spec(const channel::ChannelSpec& spec, bool carries_ends, const char* operation);

/// What a peer is told when this side ends with `how`: a canonical status.
Code reset_status(const Error& how);

/// Lives as long as one of its two cores does; a one-way channel has only one of them. When the
/// last goes, the Port goes.
template <class Out, class In>
class PortBinding final : public Pooled,
                          public channel::PortEvents,
                          public Sink<Out>,
                          public Source {
 public:
  /// Requires: `out` and `in` are not both null; the other side's directions match.
  static void bind(std::unique_ptr<channel::Port> port, ChannelCore<Out>* out, ChannelCore<In>* in,
                   channel::Delivery delivery = channel::Delivery::ordered) {
    auto* binding = new PortBinding(std::move(port), out, in, delivery);
    if (out) out->attach(static_cast<Sink<Out>&>(*binding));
    if (in) in->attach(static_cast<Source&>(*binding));
    if (!out || out->ended()) binding->port_->close_send();
    binding->port_->attach(*binding);
  }

  void on_message(ByteView message) override {
    const bool wanted = in_ && !in_->ended();
    if (!wanted && !kCarriesEnds<In>) return port_->taken(1, message.size());
    In value{};
    // A message that nobody wants is read for the ends in it, which are dropped.
    Result<> decoded = read(message, value);
    if (!wanted) return port_->taken(1, message.size());
    if (!decoded) return refuse(decoded.error());
    sizes_.push(static_cast<std::uint32_t>(message.size()));
    in_->deliver(std::move(value));
  }
  void on_writable() override {
    if (out_) out_->admit_senders();
  }
  void on_receive_end(Error how) override {
    if (in_ && !in_->ended()) in_->end(std::move(how));
  }
  void on_send_end(Error how) override {
    if (!out_) return;
    const bool lost = how.code() == Code::lost;
    out_->end(lost ? with_taken(how, port_->taken_by_peer(), port_->accepted()) : std::move(how));
  }
  void on_taken_by_peer(std::uint64_t) override {
    if (out_) out_->admit_flushers();
  }

  // As the sink of `out`.
  Result<bool> accept(Out& value, bool may_move) override {
    if (!port_->has_room()) return false;
    if constexpr (!Encodable<Out>) {
      return false;
    } else if constexpr (kCarriesEnds<Out>) {
      return send_with_ends(*port_, value, may_move);
    } else {
      encode(value, port_->begin_message());
      return port_->commit();
    }
  }
  bool has_room() const override { return port_->has_room(); }
  std::uint64_t accepted() const override { return port_->accepted(); }
  std::uint64_t taken_by_peer() const override { return port_->taken_by_peer(); }
  bool can_flush() const override { return ordered_; }
  void close(const Error& how) override {
    if (how.code() == Code::closed) return port_->close_send();
    port_->reset(reset_status(how), how.detail());
    if (in_) in_->end(how);
  }
  void drop_sender() override {
    const bool unfinished = !out_->ended();
    out_ = nullptr;
    if (!in_) return end();
    if (!unfinished) return;
    port_->reset(Code::cancelled, "the sender was dropped before it was closed");
    in_->end(Error(Code::cancelled, "recv", "this end's sender was dropped before it was closed"));
  }

  // As the source of `in`.
  void on_taken() override {
    const std::uint32_t bytes = sizes_.front();
    sizes_.pop();
    port_->taken(1, bytes);
  }
  void on_stop(const Error& how) override {
    while (!sizes_.empty()) sizes_.pop();
    if (how.code() == Code::stopped) return port_->stop();
    port_->reset(reset_status(how), how.detail());
    if (out_) out_->end(how);
  }
  void drop_receiver() override {
    const bool unfinished = !in_->ended() || in_->size() > 0;
    in_ = nullptr;
    if (!out_) return end();
    if (unfinished) port_->stop();
  }

  const PeerInfo& peer() const override { return port_->peer(); }

 private:
  PortBinding(std::unique_ptr<channel::Port> port, ChannelCore<Out>* out, ChannelCore<In>* in,
              channel::Delivery delivery)
      : port_(std::move(port)),
        out_(out),
        in_(in),
        ordered_(delivery == channel::Delivery::ordered) {}

  Result<> read(ByteView message, In& value) {
    if constexpr (!Encodable<In>) {
      return {};
    } else if constexpr (kCarriesEnds<In>) {
      return decode_with_ends(*port_, message, value);
    } else {
      return decode(message, value);
    }
  }
  void refuse(const Error& why) {
    const Code code = why.code() == Code::lost ? Code::lost : Code::invalid_argument;
    const std::string text = why.text();
    port_->reset(code == Code::lost ? Code::unavailable : code, text);
    in_->end(Error(code, "recv", text));
    if (out_) out_->end(Error(code, "send", text));
  }
  void end() {
    port_->detach();
    delete this;
  }

  std::unique_ptr<channel::Port> port_;
  ChannelCore<Out>* out_;  ///< Null where there is none, or all its handles are gone.
  ChannelCore<In>* in_;    ///< Likewise.
  /// The sizes of the encoded values that wait in `in_`: credit is granted in items and in bytes.
  ValueRing<std::uint32_t> sizes_;
  const bool ordered_;
};

}  // namespace tubing::detail
