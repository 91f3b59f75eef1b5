#include "tests/tube/process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "tubing/channel/base/assert.h"

namespace tubing::cli {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

/// In the child: becomes the program, in a session without a terminal.
[[noreturn]] void become(const std::vector<char*>& words, const std::vector<char*>& environment) {
  ::execve(words[0], words.data(), environment.data());
  ::_exit(127);
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
  const std::string shown = converse(terminal, answers);
  const int status = wait_for(child);
  ::close(terminal);
  return {.status = status, .out = shown, .err = ""};
}

}  // namespace tubing::cli
