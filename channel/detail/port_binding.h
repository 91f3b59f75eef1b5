// PortBinding: joins the typed cores of a Duplex to the Port that carries their encoded values.
#pragma once

#include <memory>
#include <vector>

#include "tubing/channel/codec.h"
#include "tubing/channel/detail/channel_core.h"
#include "tubing/channel/network.h"

namespace tubing::detail {

/// Errors: invalid_argument, naming both sides' types, where they differ.
Result<> compare_types(const channel::ChannelSpec& ours, const channel::ChannelSpec& opener);

/// Errors: invalid_argument for 0, which exists only in process.
Result<> check_capacity(std::uint32_t capacity, const char* operation);

/// What a peer is told when this side ends with `how`: a canonical status.
Code reset_status(const Error& how);

/// The sizes of the encoded values that wait in a receiver's buffer, in their order: credit is
/// granted in items and in bytes. Room for `capacity` of them, made once.
class PendingSizes {
 public:
  explicit PendingSizes(std::uint32_t capacity) : sizes_(capacity) {}
  void push(std::uint32_t bytes) { sizes_[(head_ + count_++) % sizes_.size()] = bytes; }
  std::uint32_t pop() {
    const std::uint32_t bytes = sizes_[head_];
    head_ = (head_ + 1) % sizes_.size();
    --count_;
    return bytes;
  }

 private:
  std::vector<std::uint32_t> sizes_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

/// Lives as long as one of its two cores does: each core owns one Half. When the last goes, the
/// Port goes.
template <class Out, class In>
class PortBinding final : public channel::PortEvents {
 public:
  static void bind(std::unique_ptr<channel::Port> port, ChannelCore<Out>& out,
                   ChannelCore<In>& in) {
    auto* binding = new PortBinding(std::move(port), out, in);
    out.attach(std::unique_ptr<Sink<Out>>(new OutHalf(*binding)));
    in.attach(std::unique_ptr<Source>(new InHalf(*binding)));
    binding->port_->attach(*binding);
  }

  void on_message(ByteView message) override {
    if (!in_ || in_->ended()) return port_->taken(1, message.size());
    In value{};
    if (Result<> decoded = decode(message, value); !decoded) {
      const std::string text = decoded.error().text();
      port_->reset(Code::invalid_argument, text);
      in_->end(Error(Code::invalid_argument, "recv", text));
      if (out_) out_->end(Error(Code::invalid_argument, "send", text));
      return;
    }
    sizes_.push(static_cast<std::uint32_t>(message.size()));
    in_->deliver(std::move(value));
  }
  void on_writable() override {
    if (out_) out_->admit_senders();
  }
  void on_receive_end(Error how) override {
    if (in_) in_->end(std::move(how));
  }
  void on_send_end(Error how) override {
    if (out_) out_->end(std::move(how));
  }
  void on_taken_by_peer(std::uint64_t) override {}

 private:
  class OutHalf final : public Sink<Out> {
   public:
    explicit OutHalf(PortBinding& binding) : binding_(binding) {}
    ~OutHalf() override { binding_.drop_out(); }
    Result<bool> accept(const Out& value) override {
      if (!binding_.port_->has_room()) return false;
      encode(value, binding_.port_->begin_message());
      return binding_.port_->commit();
    }
    bool has_room() const override { return binding_.port_->has_room(); }
    void close(const Error& how) override { binding_.close(how); }

   private:
    PortBinding& binding_;
  };

  class InHalf final : public Source {
   public:
    explicit InHalf(PortBinding& binding) : binding_(binding) {}
    ~InHalf() override { binding_.drop_in(); }
    void on_taken() override { binding_.port_->taken(1, binding_.sizes_.pop()); }

   private:
    PortBinding& binding_;
  };

  PortBinding(std::unique_ptr<channel::Port> port, ChannelCore<Out>& out, ChannelCore<In>& in)
      : port_(std::move(port)),
        out_(&out),
        in_(&in),
        sizes_(static_cast<std::uint32_t>(in.capacity())) {}

  void close(const Error& how) {
    if (how.code() == Code::closed) return port_->close_send();
    port_->reset(reset_status(how), how.detail());
    if (in_) in_->end(how);
  }
  void drop_out() {
    const bool unfinished = !out_->ended();
    out_ = nullptr;
    if (!in_) return end();
    if (!unfinished) return;
    port_->reset(Code::cancelled, "the sender was dropped before it was closed");
    in_->end(Error(Code::cancelled, "recv", "this end's sender was dropped before it was closed"));
  }
  void drop_in() {
    const bool unfinished = !in_->ended();
    in_ = nullptr;
    if (!out_) return end();
    if (unfinished) port_->stop();
  }
  void end() {
    port_->detach();
    delete this;
  }

  std::unique_ptr<channel::Port> port_;
  ChannelCore<Out>* out_;  ///< Null once all its handles are gone.
  ChannelCore<In>* in_;    ///< Likewise.
  PendingSizes sizes_;
};

}  // namespace tubing::detail
