#include "tubing/rpc/tcp_transport.h"

#include <netdb.h>
#include <uv.h>

#include <utility>
#include <vector>

#include "tubing/rpc/tcp_address.h"
#include "tubing/rpc/tcp_link.h"
#include "tubing/rpc/tcp_listener.h"

namespace tubing::rpc {

using channel::UvReactor;

namespace {

// Addresses of one name that are tried.
constexpr std::size_t kCandidatesMax = 16;

// States, each entered from the loop, so that no call of `dial` calls back:
//   made --begin--> looking up (a name only) --on_found--> connecting --on_connected--> done
// A candidate that fails leads to the next; the last one's error is told.
class TcpDialing final : public Dialing {
 public:
  TcpDialing(UvReactor& reactor, Address address, Transport::OnDialed on_dialed)
      : reactor_(reactor), address_(std::move(address)), on_dialed_(std::move(on_dialed)) {
    start_ = new Start{{}, this};
    uv_timer_init(&reactor_.loop(), &start_->timer);
    uv_timer_start(
        &start_->timer, [](uv_timer_t* timer) { reinterpret_cast<Start*>(timer)->owner->begin(); },
        0, 0);
  }

  ~TcpDialing() override {
    close_start();
    if (lookup_ == nullptr) return;
    lookup_->owner = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&lookup_->request));
  }

 private:
  // Blocks that libuv holds; each is freed once libuv has let go of it.
  struct Start {
    uv_timer_t timer;
    TcpDialing* owner;
  };
  struct Lookup {
    uv_getaddrinfo_t request;
    TcpDialing* owner;
  };

  void close_start() {
    if (start_ == nullptr) return;
    uv_close(reinterpret_cast<uv_handle_t*>(&std::exchange(start_, nullptr)->timer),
             [](uv_handle_t* handle) { delete reinterpret_cast<Start*>(handle); });
  }

  void begin() {
    close_start();
    reactor_.interrupt();
    if (auto numeric = numeric_address(address_)) {
      candidates_.push_back(*numeric);
      connect_next();
    } else {
      look_up();
    }
  }

  void look_up() {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    lookup_ = new Lookup{{}, this};
    const int status =
        uv_getaddrinfo(&reactor_.loop(), &lookup_->request, on_found, address_.host.c_str(),
                       std::to_string(address_.port).c_str(), &hints);
    if (status == 0) return;
    delete std::exchange(lookup_, nullptr);
    finish(resolve_error("dial", address_, status));
  }

  static void on_found(uv_getaddrinfo_t* request, int status, addrinfo* found) {
    const std::unique_ptr<Lookup> lookup(reinterpret_cast<Lookup*>(request));
    const std::unique_ptr<addrinfo, decltype(&uv_freeaddrinfo)> list(found, uv_freeaddrinfo);
    TcpDialing* self = lookup->owner;
    if (self == nullptr) return;
    self->lookup_ = nullptr;
    if (status != 0) return self->finish(resolve_error("dial", self->address_, status));
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next)
      if (self->candidates_.size() < kCandidatesMax)
        self->candidates_.push_back(SocketAddress::of(*info));
    self->connect_next();
  }

  void connect_next() {
    while (next_ < candidates_.size()) {
      socket_ = make_tcp_socket(reactor_, this);
      failure_ = uv_tcp_connect(&socket_->connect, &socket_->tcp, candidates_[next_++].get(),
                                on_connected);
      if (failure_ == 0) return;
    }
    socket_.reset();
    finish(dial_error(address_, failure_));
  }

  static void on_connected(uv_connect_t* request, int status) {
    auto* self = static_cast<TcpDialing*>(request->handle->data);
    if (self == nullptr) return;
    self->failure_ = status;
    if (status != 0) return self->connect_next();
    uv_os_fd_t descriptor = -1;
    uv_fileno(reinterpret_cast<uv_handle_t*>(&self->socket_->tcp), &descriptor);
    const Address peer = SocketAddress::of_peer(descriptor).address();
    if (peer == SocketAddress::of_local_end(descriptor).address()) {
      // On one machine TCP can meet itself, where nobody listens on a port that it hands out.
      self->failure_ = UV_ECONNREFUSED;
      return self->connect_next();
    }
    self->finish(std::make_unique<TcpLink>(std::move(self->socket_), peer.text()));
  }

  // The last statement of its callers: the callback may drop this object.
  void finish(Result<std::unique_ptr<Link>> result) {
    const Transport::OnDialed on_dialed = std::move(on_dialed_);
    on_dialed(std::move(result));
  }

  UvReactor& reactor_;
  Address address_;
  Transport::OnDialed on_dialed_;
  std::vector<SocketAddress> candidates_;
  std::size_t next_ = 0;
  int failure_ = UV_EAI_NONAME;  // The last candidate's libuv error.
  Start* start_ = nullptr;
  Lookup* lookup_ = nullptr;
  TcpSocketPtr socket_;  // The candidate being tried.
};

}  // namespace

Result<std::unique_ptr<Listener>> TcpTransport::listen(const Address& address, OnLink on_link) {
  return TcpListener::make(reactor_, address, std::move(on_link), logger_);
}

std::unique_ptr<Dialing> TcpTransport::dial(const Address& address, OnDialed on_dialed) {
  return std::make_unique<TcpDialing>(reactor_, address, std::move(on_dialed));
}

}  // namespace tubing::rpc
