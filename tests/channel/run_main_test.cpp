#include "tubing/channel/run_main.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "tubing/channel/go.h"
#include "tubing/channel/stdio.h"

namespace tubing {
namespace {

struct Ended {
  int status = -1;
  std::string err;
};

/// Runs `make_main` in a child process, whose standard error is kept.
Ended run_in_child(Task<> (*make_main)(), void (*prepare)() = [] {}) {
  int fds[2];
  REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(fds[1], STDERR_FILENO);
    prepare();
    _exit(run_main(make_main()));
  }
  close(fds[1]);
  Ended ended;
  std::array<char, 4096> chunk;
  for (ssize_t n = 0; n >= 0;) {
    ended.err.append(chunk.data(), static_cast<std::size_t>(n));
    n = read(fds[0], chunk.data(), chunk.size());
    if (n == 0) break;
  }
  close(fds[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

Task<> waits_a_little() {
  co_await ok(sleep(std::chrono::milliseconds(1)));
  co_return {};
}

Task<> fails() {
  co_await ok(waits_a_little());
  co_return Error(Code::not_found, "bake", "there is no flour; buy some");
}

Task<> throws() {
  co_await ok(waits_a_little());
  throw std::runtime_error("out of eggs");
}

Task<> reads_input() {
  channel::UvReactor reactor;
  Result<Receiver<Bytes>> input = read_chunks(reactor, STDIN_FILENO);
  co_return input ? Result<>() : std::move(input).error();
}

TEST_CASE("a main task that ends well exits with status 0 and prints nothing") {
  const Ended ended = run_in_child(waits_a_little);
  CHECK(ended.status == 0);
  CHECK(ended.err == "");
}

TEST_CASE("a main task that fails exits with status 1 and prints its error in one line") {
  const Ended ended = run_in_child(fails);
  CHECK(ended.status == 1);
  CHECK(ended.err == "bake: not_found: there is no flour; buy some\n");
}

TEST_CASE("a main task that throws exits with status 1 and prints what it threw") {
  const Ended ended = run_in_child(throws);
  CHECK(ended.status == 1);
  CHECK(ended.err.find("internal") != std::string::npos);
  CHECK(ended.err.find("out of eggs") != std::string::npos);
}

TEST_CASE("a program that is started without standard input is told so when it reads") {
  const Ended ended = run_in_child(reads_input, [] { close(STDIN_FILENO); });
  CHECK(ended.status == 1);
  CHECK(ended.err.find("descriptor 0 cannot be used for reading") != std::string::npos);
}

TEST_CASE("a failure that nobody can be told still exits with status 1") {
  CHECK(run_in_child(fails, [] { close(STDERR_FILENO); }).status == 1);
}

}  // namespace
}  // namespace tubing
