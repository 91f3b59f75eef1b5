#include "tubing/channel/stderr_writer.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <string>

using namespace tubing;

namespace {

/// A pipe in place of standard error, and whoever reads it.
struct Screen {
  Screen() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~Screen() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  int in() const { return ends[1]; }
  void set_blocking(bool blocking) const {
    REQUIRE(::fcntl(in(), F_SETFL, blocking ? O_WRONLY : O_WRONLY | O_NONBLOCK) == 0);
  }
  /// Leaves no room. Returns: how many bytes that took.
  std::size_t fill() const {
    const std::string bytes(4096, '-');
    std::size_t filled = 0;
    set_blocking(false);
    for (ssize_t n; (n = ::write(in(), bytes.data(), bytes.size())) > 0;)
      filled += static_cast<std::size_t>(n);
    set_blocking(true);
    return filled;
  }
  /// Waits, but not for ever.
  std::string read(std::size_t most) const {
    pollfd readable{ends[0], POLLIN, 0};
    REQUIRE(::poll(&readable, 1, 10'000) == 1);
    std::string bytes(most, '\0');
    const ssize_t n = ::read(ends[0], bytes.data(), bytes.size());
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }
  void skip(std::size_t count) const {
    while (count > 0) count -= read(count).size();
  }
  std::string read_until(std::string_view end) const {
    std::string seen;
    while (!seen.ends_with(end)) seen += read(1);
    return seen;
  }
  void leave() {
    ::close(ends[0]);
    ends[0] = -1;
  }

  std::array<int, 2> ends{-1, -1};
};

/// A line of 100 bytes.
std::string line(int number) {
  std::string text = "line " + std::to_string(number) + " ";
  text.resize(99, '.');
  return text + "\n";
}

}  // namespace

TEST_CASE("what is printed comes in its order before the end of the program") {
  const Screen screen;
  std::string all;
  {
    StderrWriter out({}, screen.in());
    for (int i = 0; i < 500; ++i) {
      out.print(line(i));
      all += line(i);
    }
  }
  CHECK(screen.read(100'000) == all);
}

TEST_CASE("a standard error that is full holds nobody up and the lines dropped are counted") {
  const Screen screen;
  const std::size_t filled = screen.fill();
  StderrWriter out({.bytes_max = 1000}, screen.in());
  std::string kept;
  for (int i = 0; i < 50; ++i) {
    out.print(line(i));
    if (i < 10) kept += line(i);
  }
  out.print("two\nlines\n");
  CHECK_FALSE(out.idle());
  screen.skip(filled);
  CHECK(screen.read_until("full\n") ==
        kept + "... 42 lines were dropped here: standard error was full\n");
  out.print("after\n");
  CHECK(screen.read_until("after\n") == "after\n");
}

TEST_CASE("the end of a program does not wait for ever for whoever reads its standard error") {
  Screen screen;
  screen.fill();
  {
    StderrWriter out({.end_time_max = std::chrono::milliseconds(1)}, screen.in());
    out.print("nobody reads this\n");
  }
  screen.leave();
  screen.ends[1] = -1;  // The thread that was left behind may still have it.
}

TEST_CASE("a standard error that another program has made non-blocking loses no line") {
  const Screen screen;
  const std::size_t filled = screen.fill();
  screen.set_blocking(false);
  StderrWriter out({}, screen.in());
  out.print("whole\n");
  screen.skip(filled);
  CHECK(screen.read_until("\n") == "whole\n");
}

TEST_CASE("a standard error that nobody reads any more costs neither the program nor its end") {
  Screen screen;
  screen.leave();
  StderrWriter out({}, screen.in());
  for (int i = 0; i < 5000; ++i) out.print(line(i));
}
