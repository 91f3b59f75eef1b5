// Misuse of channels that is a bug of the program: it ends the process with the reason.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "tests/channel/test_world.h"

using namespace tubing;
using tubing::test::World;

namespace {

/// What a process says whose last deed is `misuse`. Requires: it aborts.
template <class F>
std::string last_words(F misuse) {
  int report[2];
  REQUIRE(pipe(report) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(report[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    misuse();
    _exit(0);
  }
  close(report[1]);
  std::string text(4096, '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(read(report[0], text.data(), 4096), 0)));
  close(report[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  return text;
}

}  // namespace

TEST_CASE("a channel that is used on a second Scheduler ends the process with the reason") {
  const std::string text = last_words([] {
    World first;
    World second;
    Channel<int> channel{2};
    const auto send_one = [&channel](Nursery&) -> Task<> { co_return co_await channel.send(1); };
    (void)first.nursery(send_one);
    (void)second.nursery(send_one);
  });
  CHECK(text.find("one Scheduler alone") != std::string::npos);
}

TEST_CASE("an operation on an empty handle outside select ends the process with the reason") {
  const auto in_a_task = [](auto operation) {
    return last_words([&] {
      World world;
      (void)world.nursery([&](Nursery&) -> Task<> {
        (void)co_await operation();
        co_return {};
      });
    });
  };
  const Receiver<int> no_receiver;
  const Sender<int> no_sender;
  const std::string recv_words = in_a_task([&] { return no_receiver.recv(); });
  CHECK(recv_words.find("a recv on an empty handle") != std::string::npos);
  const std::string send_words = in_a_task([&] { return no_sender.send(1); });
  CHECK(send_words.find("a send on an empty handle") != std::string::npos);
  const std::string flush_words = in_a_task([&] { return no_sender.flush(); });
  CHECK(flush_words.find("an operation on an empty channel handle") != std::string::npos);
  const std::string close_words = last_words([&] { no_sender.close(); });
  CHECK(close_words.find("an operation on an empty channel handle") != std::string::npos);
}
