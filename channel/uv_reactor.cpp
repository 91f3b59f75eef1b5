#include "tubing/channel/uv_reactor.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>
#include <uv.h>

#include <string>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/worker_pool.h"

namespace tubing::channel {
namespace {

constexpr std::size_t kReadBufferBytes = 256 * 1024;

// SIGPIPE stays as it is where the program has chosen something for it.
void ignore_broken_pipes() {
  struct sigaction current = {};
  sigaction(SIGPIPE, nullptr, &current);
  if ((current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler == SIG_DFL)
    signal(SIGPIPE, SIG_IGN);
}

std::uint64_t milliseconds_up(Time until) {
  const std::int64_t ns = until.time_since_epoch().count();
  if (ns <= 0) return 0;
  return static_cast<std::uint64_t>(ns / 1'000'000 + (ns % 1'000'000 != 0 ? 1 : 0));
}

// What libuv keeps of one subscription; lives until libuv has let go of the handle.
struct SignalWatch {
  uv_signal_t handle;
  std::function<void(int)> on_signal;
};

class SignalSubscription final : public Reactor::Subscription {
 public:
  explicit SignalSubscription(SignalWatch* watch) : watch_(watch) {}
  ~SignalSubscription() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&watch_->handle),
             [](uv_handle_t* handle) { delete static_cast<SignalWatch*>(handle->data); });
  }
  void unref() override { uv_unref(reinterpret_cast<uv_handle_t*>(&watch_->handle)); }

 private:
  SignalWatch* watch_;
};

}  // namespace

struct UvReactor::Handles {
  uv_loop_t loop;
  uv_async_t wake;   // Referenced: without one such handle uv_run would not wait at all.
  uv_timer_t timer;  // Unreferenced, as every wait for time is the Scheduler's own.

  bool owns(const uv_handle_t* handle) const {
    return handle == reinterpret_cast<const uv_handle_t*>(&wake) ||
           handle == reinterpret_cast<const uv_handle_t*>(&timer);
  }
};

UvReactor::UvReactor(WorkerLimits worker_limits)
    : handles_(std::make_unique<Handles>()),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(kReadBufferBytes)),
      worker_limits_(worker_limits) {
  ignore_broken_pipes();
  Handles& h = *handles_;
  int status = uv_loop_init(&h.loop);
  TUBING_ASSERT(status == 0, uv_strerror(status));
  h.loop.data = this;
  status = uv_async_init(&h.loop, &h.wake, nullptr);
  TUBING_ASSERT(status == 0, uv_strerror(status));
  status = uv_timer_init(&h.loop, &h.timer);
  TUBING_ASSERT(status == 0, uv_strerror(status));
  uv_unref(reinterpret_cast<uv_handle_t*>(&h.timer));
}

UvReactor::~UvReactor() {
  TUBING_ASSERT(!parked_);
  workers_.reset();
  mailbox().close();
  Handles& h = *handles_;
  std::string left_open;
  uv_walk(
      &h.loop,
      [](uv_handle_t* handle, void* out) {
        if (uv_is_closing(handle) || of(handle->loop).handles_->owns(handle)) return;
        std::string& names = *static_cast<std::string*>(out);
        names += fmt::format("{}{}", names.empty() ? "" : ", ", uv_handle_type_name(handle->type));
      },
      &left_open);
  TUBING_ASSERT(left_open.empty(), "handles left open:", left_open);
  uv_close(reinterpret_cast<uv_handle_t*>(&h.wake), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&h.timer), nullptr);
  while (uv_run(&h.loop, UV_RUN_DEFAULT) != 0) {
  }
  const int status = uv_loop_close(&h.loop);
  TUBING_ASSERT(status == 0, uv_strerror(status));
}

Time UvReactor::now() { return Time(Duration(static_cast<std::int64_t>(uv_hrtime()))); }

WallTime UvReactor::wall_now() {
  timespec ts = {};
  clock_gettime(CLOCK_REALTIME, &ts);
  return {static_cast<std::int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

void UvReactor::park(Time until) {
  TUBING_ASSERT(!parked_);
  parked_ = true;
  if (until == Time::min()) {
    uv_run(&handles_->loop, UV_RUN_NOWAIT);
  } else {
    until == Time::max() ? disarm() : arm(until);
    uv_run(&handles_->loop, UV_RUN_ONCE);
  }
  parked_ = false;
  mailbox().deliver();
}

bool UvReactor::has_sources() const {
  if (mailbox().is_expecting() || (workers_ && workers_->is_busy())) return true;
  auto* wake = reinterpret_cast<uv_handle_t*>(&handles_->wake);
  uv_unref(wake);
  const bool alive = uv_loop_alive(&handles_->loop) != 0;
  uv_ref(wake);
  return alive;
}

void UvReactor::wake() { uv_async_send(&handles_->wake); }

Result<std::unique_ptr<Reactor::Subscription>> UvReactor::watch_signal(
    int number, std::function<void(int)> on_signal) {
  auto* watch = new SignalWatch{{}, std::move(on_signal)};
  int status = uv_signal_init(&handles_->loop, &watch->handle);
  TUBING_ASSERT(status == 0, uv_strerror(status));
  watch->handle.data = watch;
  auto subscription = std::make_unique<SignalSubscription>(watch);
  status = uv_signal_start(
      &watch->handle,
      [](uv_signal_t* handle, int signum) {
        static_cast<SignalWatch*>(handle->data)->on_signal(signum);
      },
      number);
  if (status != 0)
    return Error(Code::invalid_argument, "watch_signal",
                 fmt::format("signal {} cannot be watched ({}); name one that a program may "
                             "handle, such as SIGINT or SIGTERM",
                             number, uv_strerror(status)));
  return subscription;
}

Result<> UvReactor::start(Work& work) {
  if (!workers_) workers_ = std::make_unique<WorkerPool>(mailbox(), worker_limits_);
  return workers_->start(work);
}

bool UvReactor::withdraw(Work& work) { return workers_->withdraw(work); }

uv_loop_s& UvReactor::loop() { return handles_->loop; }

UvReactor& UvReactor::of(const uv_loop_s* loop) { return *static_cast<UvReactor*>(loop->data); }

void UvReactor::interrupt() { uv_stop(&handles_->loop); }

MutableBytes UvReactor::lend_buffer() {
  TUBING_ASSERT(!lent_);
  lent_ = true;
  return {buffer_.get(), kReadBufferBytes};
}

void UvReactor::return_buffer() {
  TUBING_ASSERT(lent_);
  lent_ = false;
}

void UvReactor::arm(Time until) {
  if (until == armed_) return;
  armed_ = until;
  // libuv counts from the time of its last turn, so that this sum is exactly the due time.
  const std::uint64_t due = milliseconds_up(until);
  const std::uint64_t turn = uv_now(&handles_->loop);
  uv_timer_start(
      &handles_->timer,
      [](uv_timer_t* timer) {
        UvReactor& self = of(timer->loop);
        self.armed_ = Time::max();
        self.interrupt();
      },
      due > turn ? due - turn : 0, 0);
}

void UvReactor::disarm() {
  if (armed_ == Time::max()) return;
  armed_ = Time::max();
  uv_timer_stop(&handles_->timer);
}

}  // namespace tubing::channel
