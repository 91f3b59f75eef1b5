#include "tubing/sim/detail/seed_worker.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "tubing/channel/codec.h"

namespace tubing::sim::detail {
namespace {

/// Of what a dead worker wrote, the end; an assertion stands there.
constexpr long kComplaintBytesMax = 8 * 1024;

bool write_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    // No signal where the other end is gone.
    const ssize_t written = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

bool read_all(int socket, std::byte* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(socket, bytes, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

template <class T>
bool read_value(int socket, T& value) {
  return read_all(socket, reinterpret_cast<std::byte*>(&value), sizeof value);
}

template <class T>
bool write_value(int socket, const T& value) {
  return write_all(socket, ByteView(reinterpret_cast<const std::byte*>(&value), sizeof value));
}

/// What a worker says first: whether this is all, or what is planned.
enum class Word : std::uint8_t { planned, done };

bool write_bytes(int socket, const auto& value) {
  ByteBuffer encoded;
  encode(value, encoded);
  return write_value(socket, std::uint64_t{encoded.size()}) && write_all(socket, encoded.view());
}

template <class T>
bool read_bytes(int socket, T& value) {
  std::uint64_t size = 0;
  if (!read_value(socket, size)) return false;
  Bytes encoded(size);
  return read_all(socket, encoded.data(), encoded.size()) && decode(encoded, value).has_value();
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("its process was ended by signal {} ({})", WTERMSIG(status),
                       ::strsignal(WTERMSIG(status)));
  return fmt::format("its process ended with status {}", WEXITSTATUS(status));
}

std::string end_of(std::FILE* file) {
  std::fseek(file, 0, SEEK_END);
  const long size = std::ftell(file);
  const long begin = std::max(0L, size - kComplaintBytesMax);
  std::fseek(file, begin, SEEK_SET);
  std::string text(static_cast<std::size_t>(std::max(0L, size - begin)), '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Error no_process(const char* what) {
  return Error(Code::resource_exhausted, "campaign",
               fmt::format("{} failed: {}; use fewer jobs", what, std::strerror(errno)));
}

}  // namespace

SeedWorkers::SeedWorkers(Run run, std::uint32_t jobs)
    : run_(std::move(run)), campaign_(::getpid()), workers_(std::max(1U, jobs)) {}

SeedWorkers::~SeedWorkers() {
  for (Worker& worker : workers_) {
    if (worker.process == 0) continue;
    if (worker.under_way) ::kill(worker.process, SIGKILL);
    (void)bury(worker);
  }
}

bool SeedWorkers::has_idle() const {
  return std::ranges::any_of(workers_, [](const Worker& worker) { return !worker.under_way; });
}

bool SeedWorkers::has_busy() const {
  return std::ranges::any_of(workers_, [](const Worker& worker) { return !!worker.under_way; });
}

Result<> SeedWorkers::begin(SeedTask task) {
  const auto idle = std::ranges::find_if(
      workers_, [](const Worker& worker) { return !worker.under_way.has_value(); });
  TUBING_ASSERT(idle != workers_.end());
  if (idle->process == 0) {
    Result<> started = start(*idle);
    if (!started) return started;
  }
  idle->planned = {};
  idle->under_way = std::move(task);
  // One that has died is found by `wait`.
  (void)write_bytes(idle->socket, *idle->under_way);
  return {};
}

Result<> SeedWorkers::start(Worker& worker) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return no_process("socketpair");
  std::FILE* complaints = std::tmpfile();
  std::fflush(nullptr);
  const pid_t process = complaints == nullptr ? -1 : ::fork();
  if (process == 0) {
    // The others' ends, so that each hears when this process is gone.
    for (const Worker& other : workers_)
      if (other.process != 0) ::close(other.socket);
    ::close(ends[0]);
    work(ends[1], ::fileno(complaints));
  }
  ::close(ends[1]);
  worker = {.process = process, .socket = ends[0], .complaints = complaints};
  if (process > 0) return {};
  Error error = no_process("fork");
  worker.process = 0;
  (void)bury(worker);
  return error;
}

void SeedWorkers::work(int socket, int complaints) {
  // A campaign that is killed takes its seeds along.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != campaign_) ::_exit(0);
  ::dup2(complaints, STDERR_FILENO);
  // What the campaign's process does when it crashes is not this one's.
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM})
    ::signal(number, SIG_DFL);
  // A terminal tells every process of an interruption: the campaign's ends this one.
  ::signal(SIGINT, SIG_IGN);
  ::sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto say = [socket](Word word, const Outcome& outcome) {
    return write_value(socket, word) && write_bytes(socket, outcome);
  };
  const std::function<void(const Outcome&)> planned = [&](const Outcome& plan) {
    (void)say(Word::planned, plan);
  };
  for (SeedTask task; read_bytes(socket, task); task = {})
    if (!say(Word::done, run_(task, {.planned = &planned}))) break;
  // Nor is what it does at its end.
  ::_exit(0);
}

std::optional<Outcome> SeedWorkers::read_word(Worker& worker) {
  Word word = Word::planned;
  Outcome outcome;
  if (!read_value(worker.socket, word) || !read_bytes(worker.socket, outcome)) return bury(worker);
  if (word == Word::done) return outcome;
  worker.planned = std::move(outcome);
  return std::nullopt;
}

Outcome SeedWorkers::bury(Worker& worker) {
  if (worker.socket >= 0) ::close(worker.socket);
  Outcome outcome = std::move(worker.planned);
  int status = 0;
  if (worker.process > 0) {
    while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
    }
    outcome.violation = fmt::format("{}\n{}", how_it_ended(status), end_of(worker.complaints));
    outcome.failure = failure_class(outcome.violation);
  }
  if (worker.complaints != nullptr) std::fclose(worker.complaints);
  worker = {};
  return outcome;
}

std::optional<SeedWorkers::Done> SeedWorkers::wait_unless(int stop) {
  // One that is negative is never ready.
  std::vector<::pollfd> files{{.fd = stop, .events = POLLIN, .revents = 0}};
  std::vector<Worker*> busy;
  for (Worker& worker : workers_) {
    if (!worker.under_way) continue;
    files.push_back({.fd = worker.socket, .events = POLLIN, .revents = 0});
    busy.push_back(&worker);
  }
  TUBING_ASSERT(!busy.empty());
  for (;;) {
    while (::poll(files.data(), files.size(), -1) < 0 && errno == EINTR) {
    }
    const auto ready =
        std::ranges::find_if(files, [](const ::pollfd& f) { return f.revents != 0; });
    if (ready == files.begin()) return std::nullopt;
    Worker& worker = *busy[static_cast<std::size_t>(ready - files.begin() - 1)];
    SeedTask task = *worker.under_way;
    std::optional<Outcome> outcome = read_word(worker);
    if (!outcome) continue;  // It told its plan, and goes on.
    worker.under_way.reset();
    return Done{.task = std::move(task), .outcome = *std::move(outcome)};
  }
}

}  // namespace tubing::sim::detail
