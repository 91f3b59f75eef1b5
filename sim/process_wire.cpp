#include "tubing/sim/process_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tubing/sim/detail/link_way.h"
#include "tubing/sim/wires.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

using detail::LinkWay;
using detail::WireConnection;
using detail::WireFate;
using rpc::Address;

/// Connections wait here until the process looks.
class ProcessWire::Listener final : public rpc::Listener {
 public:
  Listener(ProcessWire& wire, Address address, OnLink on_link)
      : wire_(wire), address_(std::move(address)), on_link_(std::move(on_link)) {
    wire_.wires_.listeners_.emplace(key(), this);
    wire_.listeners_.push_back(this);
  }
  ~Listener() override {
    close();
    std::erase(wire_.listeners_, this);
  }
  Address address() const override { return address_; }
  ProcessWire& wire() { return wire_; }
  bool full() const { return waiting_.size() >= wire_.wires_.options_.backlog_max; }

  void take(std::unique_ptr<rpc::Link> link) {
    waiting_.push_back(std::move(link));
    if (!accept_.pending())
      accept_ = wire_.reactor_.schedule(wire_.wires_.now(), [this] { accept(); });
  }
  /// Nobody is accepted any more.
  void close() {
    accept_.cancel();
    const auto listening = wire_.wires_.listeners_.find(key());
    if (listening != wire_.wires_.listeners_.end() && listening->second == this)
      wire_.wires_.listeners_.erase(listening);
  }

 private:
  Wires::Key key() const { return {wire_.host_.id(), address_.port}; }
  /// The callback may drop this listener.
  void accept() {
    const OnLink on_link = on_link_;
    for (std::unique_ptr<rpc::Link>& link : std::exchange(waiting_, {})) on_link(std::move(link));
  }

  ProcessWire& wire_;
  Address address_;
  OnLink on_link_;
  std::vector<std::unique_ptr<rpc::Link>> waiting_;
  EventQueue::Event accept_;
};

// knock ──a latency──▶ arrive ──somebody listens──▶ the connection's hello ──▶ finish
//   ▲                    ├──nobody does──a latency back──▶ refused
//   └──dial_retransmit───┴──nothing comes back, dial_tries_max times──▶ given up
class ProcessWire::Dialing final : public rpc::Dialing {
 public:
  Dialing(ProcessWire& wire, Address address, OnDialed on_dialed)
      : wire_(wire),
        wires_(wire.wires_),
        dial_{.from = {wire.host_.name(), wires_.next_port(wire.host_.id())},
              .to = std::move(address)},
        on_dialed_(std::move(on_dialed)) {
    wire_.dialings_.push_back(this);
    if (wire_.cut_) return;
    wires_.dials_.push_back(&dial_);
    target_ = wires_.world_.find_host(dial_.to.host);
    if (target_ != nullptr)
      knock();
    else
      answer_ = wire_.reactor_.schedule(wire_.now(), [this] {
        fail(Code::not_found, "no host of the world has this name; add_host it");
      });
  }
  ~Dialing() override {
    std::erase(wire_.dialings_, this);
    std::erase(wires_.dials_, &dial_);
  }
  /// Nobody hears of it any more.
  void cut() {
    arrival_.cancel();
    answer_.cancel();
    retry_.cancel();
    std::erase(wires_.dials_, &dial_);
  }

 private:
  LinkWay& way_there() { return wires_.way(wire_.host_.id(), target_->id()); }
  LinkWay& way_back() { return wires_.way(target_->id(), wire_.host_.id()); }

  void knock() {
    const WireOptions& options = wires_.options_;
    const Time now = wire_.now();
    if (dial_.tries == options.dial_tries_max)
      return fail(Code::unavailable, "nobody answers; is the host up, and can it be reached?");
    const Duration patience = options.dial_retransmit * (std::int64_t{1} << dial_.tries);
    ++dial_.tries;
    arrival_ = wires_.schedule(now + way_there().draw_latency(), [this] { arrive(); });
    retry_ = wire_.reactor_.schedule(now + patience, [this] { knock(); });
  }

  // At the host that is dialled, whose process has not looked yet.
  void arrive() {
    if (link_ != nullptr) return;
    if (way_there().meet(false) != WireFate::arrives) return on_unanswered();
    const auto found = wires_.listeners_.find({target_->id(), dial_.to.port});
    const bool listens = found != wires_.listeners_.end();
    if (!listens || wires_.refuses(target_->id())) {
      answer_ =
          wire_.reactor_.schedule(wires_.now() + way_back().draw_latency(), [this] { refused(); });
    } else if (found->second->full()) {
      on_unanswered();
    } else {
      connect(*found->second);
    }
  }

  void connect(Listener& listener) {
    cut();
    const WireId id = wires_.hub_.next_id++;
    detail::WirePlace here{.address = dial_.from.text(),
                           .spot = {.reactor = &wire_.reactor_, .world = &wires_},
                           .way = &way_there()};
    detail::WirePlace there{.address = dial_.to.text(),
                            .spot = {.reactor = &listener.wire().reactor_, .world = &wires_},
                            .way = &way_back()};
    auto made =
        std::make_unique<WireConnection>(wires_.hub_, id, std::move(here), std::move(there));
    WireConnection& connection = *made;
    wires_.hub_.connections.emplace(id, std::move(made));
    link_ = connection.make_link(WireSide::dialer);
    listener.take(connection.make_link(WireSide::listener));
    connection.say_hello([this] { finish(std::move(link_)); });
  }

  void on_unanswered() {
    if (!std::exchange(unanswered_, true))
      wires_.world_.links().counts().add(FaultKind::dial_unanswered);
    wires_.world_.note("unanswered", wire_.host_.id(), as_bytes(dial_.to.text()));
  }

  void refused() {
    if (way_back().meet(false) != WireFate::arrives) return on_unanswered();
    wires_.world_.links().counts().add(FaultKind::dial_refused);
    wires_.world_.note("refused", wire_.host_.id(), as_bytes(dial_.to.text()));
    fail(Code::unavailable, "it refuses connections; is somebody listening there?");
  }

  void fail(Code code, std::string_view why) {
    cut();
    finish(Error(code, "dial", fmt::format("{}: {}", dial_.to.text(), why)));
  }

  // The callback may drop this dialing.
  void finish(Result<std::unique_ptr<rpc::Link>> how) {
    const OnDialed on_dialed = std::move(on_dialed_);
    on_dialed(std::move(how));
  }

  ProcessWire& wire_;
  Wires& wires_;
  detail::WireDial dial_;
  OnDialed on_dialed_;
  Host* target_ = nullptr;
  bool unanswered_ = false;
  std::unique_ptr<rpc::Link> link_;
  EventQueue::Event arrival_;  ///< There.
  EventQueue::Event answer_;   ///< Here, and no connection.
  EventQueue::Event retry_;
};

ProcessWire::ProcessWire(Wires& wires, Host& host, VirtualReactor& reactor)
    : wires_(wires), host_(host), reactor_(reactor) {}

ProcessWire::~ProcessWire() {
  TUBING_ASSERT(listeners_.empty() && dialings_.empty(), listeners_.size(), dialings_.size());
  if (!cut_) wires_.leave(reactor_, detail::WireLeave::ended);
}

Time ProcessWire::now() const { return std::max(wires_.now(), reactor_.world_now()); }

Result<std::unique_ptr<rpc::Listener>> ProcessWire::listen(const Address& address, OnLink on_link) {
  if (cut_) return Error(Code::unavailable, "listen", "the process has crashed");
  if (address.host != host_.name())
    return Error(
        Code::not_found, "listen",
        fmt::format("{} is no address of this host; write {}:PORT", address.text(), host_.name()));
  const auto in_use = [this](std::uint32_t port) {
    return wires_.listeners_.contains({host_.id(), static_cast<std::uint16_t>(port)});
  };
  std::uint32_t port = address.port;
  if (port == 0) {
    port = Wires::kChosenPortMin;
    while (port <= std::numeric_limits<std::uint16_t>::max() && in_use(port)) ++port;
    if (port > std::numeric_limits<std::uint16_t>::max())
      return Error(Code::resource_exhausted, "listen",
                   fmt::format("every port of {} is in use; drop a listener", host_.name()));
  }
  if (in_use(port))
    return Error(Code::already_exists, "listen",
                 fmt::format("{} is in use; choose another port", address.text()));
  return std::make_unique<Listener>(*this, Address{address.host, static_cast<std::uint16_t>(port)},
                                    std::move(on_link));
}

std::unique_ptr<rpc::Dialing> ProcessWire::dial(const Address& address, OnDialed on_dialed) {
  return std::make_unique<Dialing>(*this, address, std::move(on_dialed));
}

void ProcessWire::cut(Crash how) {
  cut_ = true;
  for (Listener* listener : listeners_) listener->close();
  for (Dialing* dialing : dialings_) dialing->cut();
  wires_.leave(reactor_,
               how == Crash::power ? detail::WireLeave::dark : detail::WireLeave::crashed);
}

}  // namespace tubing::sim
