#include "tubing/rpc/tcp_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <utility>

#include "tubing/rpc/tcp_address.h"
#include "tubing/rpc/tcp_link.h"

namespace tubing::rpc {

using channel::UvReactor;

namespace {

constexpr int kAcceptsPerTurnMax = 64;
constexpr std::uint64_t kPauseMilliseconds = 100;
constexpr Duration kWarningInterval = std::chrono::minutes(1);

int open_reserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

// What became of one attempt to accept.
enum class Accepted { link, again, nothing, no_descriptor, no_resources };

Accepted outcome_of(int error) {
  switch (error) {
    case EAGAIN: return Accepted::nothing;
    case EMFILE:
    case ENFILE: return Accepted::no_descriptor;
    case ENOBUFS:
    case ENOMEM:
    case EBADF:
    case EINVAL: return Accepted::no_resources;
    default: return Accepted::again;  // That connection broke before it was taken.
  }
}

// Returns a listening descriptor, or a libuv error.
int open_listening(const SocketAddress& at) {
  const int descriptor = socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(descriptor, at.get(), at.length) == 0 && listen(descriptor, SOMAXCONN) == 0)
    return descriptor;
  const int status = -errno;
  close(descriptor);
  return status;
}

Result<SocketAddress> resolve(UvReactor& reactor, const Address& address) {
  if (auto numeric = numeric_address(address)) return *numeric;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  uv_getaddrinfo_t request;
  const int status = uv_getaddrinfo(&reactor.loop(), &request, nullptr, address.host.c_str(),
                                    std::to_string(address.port).c_str(), &hints);
  if (status != 0) return resolve_error("listen", address, status);
  const SocketAddress first = SocketAddress::of(*request.addrinfo);
  uv_freeaddrinfo(request.addrinfo);
  return first;
}

}  // namespace

struct TcpListener::Socket {
  uv_poll_t poll;
  uv_timer_t pause;
  Transport::OnLink on_link;
  Logger* logger = nullptr;
  Time next_warning;
  int descriptor = -1;
  int reserve = -1;
  int open_handles = 0;
  bool dropped = false;

  UvReactor& reactor() const { return UvReactor::of(poll.loop); }

  void open(UvReactor& on, int listening) {
    descriptor = listening;
    reserve = open_reserve();
    int status = uv_poll_init(&on.loop(), &poll, descriptor);
    TUBING_ASSERT(status == 0, uv_strerror(status));
    status = uv_timer_init(&on.loop(), &pause);
    TUBING_ASSERT(status == 0, uv_strerror(status));
    poll.data = pause.data = this;
    open_handles = 2;
    resume();
  }

  void drop() {
    dropped = true;
    for (uv_handle_t* handle :
         {reinterpret_cast<uv_handle_t*>(&poll), reinterpret_cast<uv_handle_t*>(&pause)})
      uv_close(handle, [](uv_handle_t* closed) {
        auto* self = static_cast<Socket*>(closed->data);
        if (--self->open_handles == 0) delete self;
      });
    close(descriptor);
    if (reserve >= 0) close(reserve);
  }

  void resume() {
    uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* handle, int, int) {
      static_cast<Socket*>(handle->data)->accept_waiting();
    });
  }

  void accept_waiting() {
    for (int i = 0; i < kAcceptsPerTurnMax && !dropped; ++i) {
      Accepted outcome = accept_one();
      if (outcome == Accepted::no_descriptor) {
        warn();
        outcome = turn_one_away();
      }
      if (outcome == Accepted::nothing) return;
      if (outcome == Accepted::no_resources) return pause_accepting();
    }
  }

  Accepted accept_one() {
    SocketAddress peer;
    peer.length = sizeof peer.storage;
    const int accepted = accept4(descriptor, reinterpret_cast<sockaddr*>(&peer.storage),
                                 &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return outcome_of(errno);
    TcpSocketPtr socket = make_tcp_socket(reactor(), nullptr);
    if (uv_tcp_open(&socket->tcp, accepted) != 0) {
      close(accepted);
      return Accepted::again;
    }
    on_link(std::make_unique<TcpLink>(std::move(socket), peer.address().text()));
    return Accepted::link;
  }

  // Who has no descriptors has them for many connections in a row.
  void warn() {
    const Time now = reactor().now();
    if (logger == nullptr || now < next_warning) return;
    next_warning = now + kWarningInterval;
    logger->log(LogLevel::warning, "rpc",
                fmt::format("{}: no descriptor is left: connections are turned away; raise the "
                            "limit (ulimit -n)",
                            SocketAddress::of_local_end(descriptor).address().text()));
  }

  Accepted turn_one_away() {
    if (reserve < 0 && (reserve = open_reserve()) < 0) return Accepted::no_resources;
    close(reserve);
    const int accepted = accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    const int error = errno;
    if (accepted >= 0) close(accepted);
    reserve = open_reserve();
    if (accepted >= 0) return Accepted::again;
    const Accepted outcome = outcome_of(error);
    return outcome == Accepted::no_descriptor ? Accepted::no_resources : outcome;
  }

  void pause_accepting() {
    uv_poll_stop(&poll);
    uv_timer_start(
        &pause,
        [](uv_timer_t* timer) {
          auto* self = static_cast<Socket*>(timer->data);
          self->resume();
          self->reactor().interrupt();
        },
        kPauseMilliseconds, 0);
  }
};

Result<std::unique_ptr<Listener>> TcpListener::make(UvReactor& reactor, const Address& address,
                                                    Transport::OnLink on_link, Logger* logger) {
  auto at = resolve(reactor, address);
  if (!at) return std::move(at).error();
  const int descriptor = open_listening(*at);
  if (descriptor < 0) return listen_error(address, descriptor);
  auto* socket = new Socket;
  socket->on_link = std::move(on_link);
  socket->logger = logger;
  socket->open(reactor, descriptor);
  return std::unique_ptr<Listener>(new TcpListener(socket));
}

TcpListener::~TcpListener() { socket_->drop(); }

Address TcpListener::address() const {
  return SocketAddress::of_local_end(socket_->descriptor).address();
}

}  // namespace tubing::rpc
