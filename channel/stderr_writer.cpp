#include "tubing/channel/stderr_writer.h"

#include <errno.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace tubing {
namespace {

/// Waits as long as it takes. Returns false where nobody reads any more.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    if (n >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    pollfd writable{descriptor, POLLOUT, 0};  // Another program has made it non-blocking.
    (void)::poll(&writable, 1, -1);
  }
  return true;
}

/// A thread without the program's signals. SIGTTOU alone stops whoever writes to a terminal from
/// the background, as it should.
template <class Run>
std::thread start_thread(Run run) {
  sigset_t most;
  sigset_t before;
  sigfillset(&most);
  sigdelset(&most, SIGTTOU);
  pthread_sigmask(SIG_SETMASK, &most, &before);
  std::thread thread;
  try {
    thread = std::thread(std::move(run));
    pthread_setname_np(thread.native_handle(), "tubing-stderr");
  } catch (const std::system_error&) {  // No thread is left; the next text tries again.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

struct StderrWriter::State {
  State(StderrLimits given, int to) : limits(given), descriptor(to) {}

  void take(std::string_view text);
  void tell_dropped();
  void run();

  const StderrLimits limits;
  const int descriptor;
  mutable std::mutex lock;
  std::condition_variable news;     ///< For the thread.
  std::condition_variable printed;  ///< For the end of the program.
  std::string queue;
  std::size_t writing = 0;    ///< Bytes that the thread has taken out and not printed yet.
  std::uint64_t dropped = 0;  ///< Lines, since that was told.
  bool ending = false;
  bool ended = false;
};

/// Requires: the lock is held.
void StderrWriter::State::take(std::string_view text) {
  if (writing + queue.size() >= limits.bytes_max) {
    dropped += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    return;
  }
  tell_dropped();
  queue += text;
  news.notify_one();
}

void StderrWriter::State::tell_dropped() {
  if (dropped == 0) return;
  queue += fmt::format("... {} lines were dropped here: standard error was full\n",
                       std::exchange(dropped, 0));
}

void StderrWriter::State::run() {
  std::unique_lock hold(lock);
  for (;;) {
    if (queue.empty()) tell_dropped();
    if (queue.empty() && ending) break;
    if (queue.empty()) {
      news.wait(hold);
      continue;
    }
    const std::string text = std::exchange(queue, {});
    writing = text.size();
    hold.unlock();
    const bool read = write_all(descriptor, text);
    hold.lock();
    writing = 0;
    if (!read) dropped = 0;  // There is nobody to be told.
  }
  ended = true;
  printed.notify_one();
}

StderrWriter::StderrWriter(StderrLimits limits, int descriptor)
    : state_(std::make_shared<State>(limits, descriptor)), end_time_max_(limits.end_time_max) {}

StderrWriter::~StderrWriter() {
  if (!thread_.joinable()) return;
  std::unique_lock hold(state_->lock);
  state_->ending = true;
  state_->news.notify_one();
  const bool ended =
      state_->printed.wait_for(hold, end_time_max_, [this] { return state_->ended; });
  hold.unlock();
  ended ? thread_.join() : thread_.detach();
}

void StderrWriter::print(std::string_view text) {
  const std::lock_guard hold(state_->lock);
  state_->take(text);
  if (!thread_.joinable()) thread_ = start_thread([state = state_] { state->run(); });
}

bool StderrWriter::idle() const {
  const std::lock_guard hold(state_->lock);
  return state_->queue.empty() && state_->writing == 0;
}

}  // namespace tubing
