#include "tubing/channel/uv_reactor.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using tubing::Time;
using tubing::channel::UvReactor;

namespace {

struct Pipe {
  std::array<int, 2> fds{-1, -1};
  Pipe() { REQUIRE(pipe(fds.data()) == 0); }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() { close_end(0); }
  void close_write() { close_end(1); }

 private:
  void close_end(std::size_t end) {
    if (fds[end] >= 0) close(fds[end]);
    fds[end] = -1;
  }
};

// A handle on the reactor's loop, closed at the end.
struct OpenTimer {
  uv_timer_t* timer = new uv_timer_t;
  explicit OpenTimer(UvReactor& reactor) { uv_timer_init(&reactor.loop(), timer); }
  ~OpenTimer() {
    uv_close(reinterpret_cast<uv_handle_t*>(timer),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
  }
};

}  // namespace

TEST_CASE("a park lasts until its time without spinning") {
  UvReactor reactor;
  // Waits of all sizes below and above the millisecond that libuv counts in.
  for (int i = 0; i < 40; ++i) {
    const tubing::Duration wait = 1ns + i * 97us;
    CAPTURE(wait.count());
    const Time until = reactor.now() + wait;
    int parks = 0;
    while (reactor.now() < until) {
      reactor.park(until);
      ++parks;
    }
    CHECK(parks <= 1);
  }
}

TEST_CASE("a park until a time that is past returns at once") {
  UvReactor reactor;
  for (int i = 0; i < 3; ++i) {
    reactor.park(reactor.now() - 1s);
    reactor.park(Time());
    reactor.park(Time::min());
  }
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("a later park is not cut short by the time of an earlier one") {
  UvReactor reactor;
  const Time near = reactor.now() + 5ms;
  reactor.wake();
  reactor.park(near);
  const Time far = near + 10ms;
  int parks = 0;
  for (; reactor.now() < far; ++parks) reactor.park(far);
  CHECK(parks <= 1);
}

TEST_CASE("a wake ends the next park") {
  UvReactor reactor;
  for (int i = 0; i < 3; ++i) {
    reactor.wake();
    reactor.park(Time::max());
  }
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("a wake from another thread ends a park without end") {
  UvReactor reactor;
  for (int i = 0; i < 100; ++i) {
    std::atomic<bool> done = false;
    std::thread other([&] {
      done = true;
      reactor.wake();
    });
    while (!done) reactor.park(Time::max());
    other.join();
  }
}

TEST_CASE("the monotonic clock is the system's and the wall clock is past 2020") {
  UvReactor reactor;
  const Time before = reactor.now();
  CHECK(reactor.now() >= before);
  CHECK(reactor.wall_now().seconds() > 1'577'836'800);
}

TEST_CASE("an active handle is a source and an idle reactor has none") {
  UvReactor reactor;
  CHECK_FALSE(reactor.has_sources());
  {
    OpenTimer open(reactor);
    CHECK_FALSE(reactor.has_sources());
    uv_timer_start(open.timer, [](uv_timer_t*) {}, 1'000'000, 0);
    CHECK(reactor.has_sources());
  }
  reactor.park(Time::min());
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("an interrupt in a timer's callback ends a park without end") {
  UvReactor reactor;
  OpenTimer open(reactor);
  uv_timer_start(open.timer, [](uv_timer_t* t) { UvReactor::of(t->loop).interrupt(); }, 0, 0);
  reactor.park(Time::max());
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("every signal reaches its subscribers until they drop their subscription") {
  UvReactor reactor;
  std::vector<int> first;
  std::vector<int> second;
  auto a = reactor.watch_signal(SIGUSR1, [&](int number) { first.push_back(number); });
  auto b = reactor.watch_signal(SIGUSR1, [&](int number) { second.push_back(number); });
  REQUIRE(a);
  REQUIRE(b);
  CHECK(reactor.has_sources());
  raise(SIGUSR1);
  while (first.empty() || second.empty()) reactor.park(Time::max());
  CHECK(first == std::vector{SIGUSR1});

  *a = nullptr;
  raise(SIGUSR1);
  while (second.size() < 2) reactor.park(Time::max());
  CHECK(first.size() == 1);
  *b = nullptr;
  while (reactor.has_sources()) reactor.park(Time::max());
}

TEST_CASE("a subscription that is no source is heard and keeps nobody awake") {
  UvReactor reactor;
  int calls = 0;
  auto watch = reactor.watch_signal(SIGUSR1, [&](int) { ++calls; });
  REQUIRE(watch);
  CHECK(reactor.has_sources());
  (*watch)->unref();
  CHECK_FALSE(reactor.has_sources());
  raise(SIGUSR1);
  while (calls == 0) reactor.park(Time::max());
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("a subscription may be dropped in its own callback") {
  UvReactor reactor;
  tubing::Result<std::unique_ptr<UvReactor::Subscription>> watch;
  int calls = 0;
  watch = reactor.watch_signal(SIGUSR2, [&](int) {
    *watch = nullptr;
    ++calls;
  });
  REQUIRE(watch);
  raise(SIGUSR2);
  while (calls == 0) reactor.park(Time::max());
  CHECK(calls == 1);
}

TEST_CASE("a signal that no program may handle is refused with advice") {
  UvReactor reactor;
  for (int number : {SIGKILL, 0, -1, 1000}) {
    CAPTURE(number);
    auto watch = reactor.watch_signal(number, [](int) {});
    REQUIRE_FALSE(watch);
    CHECK(watch.error().code() == tubing::Code::invalid_argument);
    CHECK(watch.error().detail().find("such as SIGINT") != std::string::npos);
  }
}

TEST_CASE("a reactor makes a write to a broken pipe an error") {
  signal(SIGPIPE, SIG_DFL);
  UvReactor reactor;
  Pipe pipe;
  pipe.close_read();
  CHECK(write(pipe.fds[1], "x", 1) == -1);
  CHECK(errno == EPIPE);
}

TEST_CASE("a reactor leaves a program's own handler of SIGPIPE in place") {
  signal(SIGPIPE, [](int) {});
  UvReactor reactor;
  struct sigaction current = {};
  sigaction(SIGPIPE, nullptr, &current);
  const bool ignored = current.sa_handler == SIG_IGN;
  CHECK_FALSE(ignored);
  signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("a reactor destroyed under an open handle names it and aborts") {
  Pipe pipe;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(pipe.fds[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    uv_timer_t timer;
    {
      UvReactor reactor;
      uv_timer_init(&reactor.loop(), &timer);
    }
    _exit(0);
  }
  pipe.close_write();
  std::string printed;
  char chunk[512];
  for (ssize_t n; (n = read(pipe.fds[0], chunk, sizeof chunk)) > 0;)
    printed.append(chunk, static_cast<std::size_t>(n));
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  CHECK(printed.find("handles left open: timer") != std::string::npos);
}
