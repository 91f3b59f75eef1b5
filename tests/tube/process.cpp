#include "tests/tube/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::cli {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

/// In the child: becomes the program, which dies with the test.
[[noreturn]] void become(const std::vector<char*>& words, const std::vector<char*>& environment) {
  ::signal(SIGPIPE, SIG_DFL);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::execve(words[0], words.data(), environment.data());
  ::_exit(127);
}

/// How long a program may print nothing while the test waits for it.
constexpr int kSilenceMillisMax = 30'000;

struct PipeEnds {
  int read = -1;
  int write = -1;
};

/// A pipe; a file, where one is named, has only the end that the program uses.
PipeEnds open_ends(const std::string& file, int file_flags) {
  int fds[2] = {-1, -1};
  if (file.empty()) {
    TUBING_ASSERT(::pipe2(fds, O_CLOEXEC) == 0, errno);
  } else {
    int& used = fds[(file_flags & O_ACCMODE) == O_RDONLY ? 0 : 1];
    used = ::open(file.c_str(), file_flags | O_CLOEXEC, 0600);
    TUBING_ASSERT(used >= 0, file, errno);
  }
  return {.read = fds[0], .write = fds[1]};
}

void close_once(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) TUBING_ASSERT(errno == EINTR, errno);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A file without a name, which is gone with its last descriptor.
int nameless_file() {
  std::string name = "/tmp/tubing-process-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  TUBING_ASSERT(fd >= 0, errno);
  ::unlink(name.c_str());
  return fd;
}

/// Everything in the file from its beginning; closes it.
std::string take_all(int fd) {
  std::string text;
  std::array<char, 4096> chunk;
  ::lseek(fd, 0, SEEK_SET);
  while (true) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

/// Types the answers as they are asked for. Returns all that the terminal showed until its end.
std::string converse(int terminal, const std::vector<std::string>& answers) {
  std::string shown;
  std::size_t answered = 0;
  std::size_t seen = 0;
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t got = ::read(terminal, chunk.data(), chunk.size());
    if (got <= 0) return shown;
    shown.append(chunk.data(), static_cast<std::size_t>(got));
    const std::size_t asked = shown.find(": ", seen);
    if (asked == std::string::npos || answered == answers.size()) continue;
    seen = asked + 2;
    const std::string line = answers[answered++] + "\n";
    TUBING_ASSERT(::write(terminal, line.data(), line.size()) > 0, errno);
  }
}

/// A program on a terminal, by the other end of that.
struct Terminal {
  pid_t child;
  int descriptor;
};

Terminal start_on_terminal(const std::vector<std::string>& command,
                           const Environment& environment) {
  const std::vector<char*> words = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  TUBING_ASSERT(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0, errno);
  const std::string name = ::ptsname(terminal);
  const pid_t child = ::fork();
  TUBING_ASSERT(child >= 0, errno);
  if (child == 0) {
    ::setsid();
    const int screen = ::open(name.c_str(), O_RDWR);
    ::ioctl(screen, TIOCSCTTY, 0);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(screen, fd);
    if (screen > STDERR_FILENO) ::close(screen);
    become(words, variables);
  }
  return {child, terminal};
}

}  // namespace

Finished run_process(const std::vector<std::string>& command, const Environment& environment) {
  const std::vector<char*> words = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  const int out = nameless_file();
  const int err = nameless_file();
  const pid_t child = ::fork();
  TUBING_ASSERT(child >= 0, errno);
  if (child == 0) {
    ::setsid();
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    become(words, variables);
  }
  const int status = wait_for(child);
  return {.status = status, .out = take_all(out), .err = take_all(err)};
}

Finished run_on_terminal(const std::vector<std::string>& command, const Environment& environment,
                         const std::vector<std::string>& answers) {
  const Terminal started = start_on_terminal(command, environment);
  const std::string shown = converse(started.descriptor, answers);
  const int status = wait_for(started.child);
  ::close(started.descriptor);
  return {.status = status, .out = shown, .err = ""};
}

Finished run_until_hangup(const std::vector<std::string>& command, const Environment& environment,
                          std::string_view text) {
  const Terminal started = start_on_terminal(command, environment);
  std::string shown;
  std::array<char, 4096> chunk;
  while (!shown.contains(text)) {
    const ssize_t got = ::read(started.descriptor, chunk.data(), chunk.size());
    if (got <= 0) break;
    shown.append(chunk.data(), static_cast<std::size_t>(got));
  }
  ::close(started.descriptor);
  return {.status = wait_for(started.child), .out = shown, .err = ""};
}

Process::Process(const std::vector<std::string>& command, const Environment& environment,
                 const Redirection& files) {
  ::signal(SIGPIPE, SIG_IGN);  // A program may end before its input does.
  const std::vector<char*> words = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  PipeEnds in = open_ends(files.in, O_RDONLY);
  PipeEnds out = open_ends(files.out, O_WRONLY | O_CREAT | O_TRUNC);
  PipeEnds err = open_ends(files.err, O_WRONLY | O_CREAT | O_TRUNC);
  child_ = ::fork();
  TUBING_ASSERT(child_ >= 0, errno);
  if (child_ == 0) {
    ::setsid();
    ::dup2(in.read, STDIN_FILENO);
    ::dup2(out.write, STDOUT_FILENO);
    ::dup2(err.write, STDERR_FILENO);
    become(words, variables);
  }
  for (int* theirs : {&in.read, &out.write, &err.write}) close_once(*theirs);
  in_ = in.write;
  out_ = out.read;
  err_ = err.read;
}

Process::~Process() {
  if (child_ > 0) {
    kill(SIGKILL);
    wait_for(child_);
  }
  for (int* fd : {&in_, &out_, &err_}) close_once(*fd);
}

void Process::type(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(in_, text.data(), text.size());
    if (n < 0 && errno == EPIPE) return;
    TUBING_ASSERT(n > 0, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Process::close_input() { close_once(in_); }
void Process::close_output() { close_once(out_); }
void Process::kill(int signal) { ::kill(child_, signal); }

const std::string& Process::await_out(std::string_view text) { return await(seen_out_, text); }
const std::string& Process::await_err(std::string_view text) { return await(seen_err_, text); }

const std::string& Process::await(const std::string& seen, std::string_view text) {
  while (!seen.contains(text))
    TUBING_ASSERT(read_some() && "the program ended without printing it", text, seen_out_,
                  seen_err_);
  return seen;
}

Finished Process::finish() {
  close_input();
  while (read_some()) continue;
  const int status = wait_for(std::exchange(child_, -1));
  return {.status = status, .out = seen_out_, .err = seen_err_};
}

/// Waits for more of either output. Returns false at the end of both.
bool Process::read_some() {
  std::array<pollfd, 2> waiting{pollfd{.fd = out_, .events = POLLIN, .revents = 0},
                                pollfd{.fd = err_, .events = POLLIN, .revents = 0}};
  if (out_ < 0 && err_ < 0) return false;
  const int ready = ::poll(waiting.data(), waiting.size(), kSilenceMillisMax);
  TUBING_ASSERT(ready > 0 && "the program prints nothing and does not end", seen_out_, seen_err_);
  std::array<char, 64 * 1024> chunk;
  for (auto [from, into] : {std::pair(&out_, &seen_out_), std::pair(&err_, &seen_err_)}) {
    if (waiting[from == &out_ ? 0 : 1].revents == 0) continue;
    const ssize_t got = ::read(*from, chunk.data(), chunk.size());
    if (got > 0) into->append(chunk.data(), static_cast<std::size_t>(got));
    if (got <= 0) close_once(*from);
  }
  return true;
}

}  // namespace tubing::cli
