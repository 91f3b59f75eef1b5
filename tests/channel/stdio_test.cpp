#include "tubing/channel/stdio.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "tubing/channel/go.h"

namespace tubing {
namespace {

using channel::UvReactor;

/// A pipe whose ends this test holds; one that was given away is -1.
struct TestPipe {
  int read_end = -1;
  int write_end = -1;

  TestPipe() {
    int fds[2];
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    read_end = fds[0];
    write_end = fds[1];
  }
  TestPipe(const TestPipe&) = delete;
  TestPipe& operator=(const TestPipe&) = delete;
  ~TestPipe() {
    close_read();
    close_write();
  }
  int give_read() { return std::exchange(read_end, -1); }
  int give_write() { return std::exchange(write_end, -1); }
  void close_read() {
    if (read_end >= 0) close(give_read());
  }
  void close_write() {
    if (write_end >= 0) close(give_write());
  }
  void put(std::string_view text) const {
    REQUIRE(write(write_end, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// Writes until the pipe is full. Returns how many bytes it took.
  std::size_t fill() const {
    fcntl(write_end, F_SETFL, O_NONBLOCK);
    const std::string chunk(4096, 'x');
    std::size_t taken = 0;
    for (ssize_t n = 0; n >= 0; n = write(write_end, chunk.data(), chunk.size()))
      taken += static_cast<std::size_t>(n);
    return taken;
  }
};

/// A Scheduler over a real loop.
struct Machine {
  UvReactor reactor;
  Scheduler scheduler{reactor, Prng(1)};

  Result<> run(Task<> task) { return scheduler.run(std::move(task)); }
  template <class T>
  T next(const Receiver<T>& rx) {
    T value;
    REQUIRE(run(receive_one(rx, value)).has_value());
    return value;
  }
  Result<> send(const Sender<Bytes>& tx, std::string_view text) { return run(send_one(tx, text)); }
  /// All that comes until the end, which is told in `end`.
  template <class T>
  std::vector<T> rest(const Receiver<T>& rx, Result<>& end) {
    std::vector<T> all;
    end = run(receive_all(rx, all));
    return all;
  }
  /// Lets the loop do all that it can without waiting.
  void turn() {
    for (int i = 0; i < 20; ++i) reactor.park(Time::min());
  }

 private:
  template <class T>
  static Task<> receive_one(Receiver<T> rx, T& value) {
    value = co_await ok(rx.recv());
    co_return {};
  }
  template <class T>
  static Task<> receive_all(Receiver<T> rx, std::vector<T>& all) {
    while (auto value = co_await rx.recv()) all.push_back(*std::move(value));
    co_return rx.end();
  }
  static Task<> send_one(Sender<Bytes> tx, std::string_view text) {
    const ByteView view = as_bytes(text);
    co_return co_await tx.send(Bytes(view.begin(), view.end()));
  }
};

using Lines = std::vector<std::string>;

/// The lines of what `text` brings, all at once.
Lines lines_of(std::string_view text) {
  Machine machine;
  TestPipe pipe;
  auto lines = read_lines(machine.reactor, pipe.give_read());
  REQUIRE(lines.has_value());
  pipe.put(text);
  pipe.close_write();
  Result<> end;
  Lines all = machine.rest(*lines, end);
  CHECK(end.has_value());
  return all;
}

TEST_CASE("lines come without their ends and the last needs none") {
  CHECK(lines_of("") == Lines{});
  CHECK(lines_of("one") == Lines{"one"});
  CHECK(lines_of("one\n") == Lines{"one"});
  CHECK(lines_of("one\ntwo") == Lines{"one", "two"});
  CHECK(lines_of("\n\none\n\n") == Lines{"", "", "one", ""});
  CHECK(lines_of("a\nb\nc\nd\ne\nf\ng\nh\nlast") ==
        Lines{"a", "b", "c", "d", "e", "f", "g", "h", "last"});
}

TEST_CASE("a line may come in several chunks") {
  Machine machine;
  TestPipe pipe;
  auto lines = read_lines(machine.reactor, pipe.give_read());
  REQUIRE(lines.has_value());
  pipe.put("be");
  machine.turn();
  pipe.put("gin and en");
  machine.turn();
  CHECK(lines->size() == 0);
  pipe.put("d\nnext");
  machine.turn();
  CHECK(machine.next(*lines) == "begin and end");
  pipe.put("\n");
  CHECK(machine.next(*lines) == "next");
}

TEST_CASE("a line that stands behind a full channel comes once its end has come") {
  Machine machine;
  TestPipe pipe;
  auto lines = read_lines(machine.reactor, pipe.give_read());
  REQUIRE(lines.has_value());
  std::string text;
  for (std::size_t i = 0; i < lines->capacity(); ++i) text += "line\n";
  pipe.put(text + "the begin");
  machine.turn();
  CHECK(lines->size() == lines->capacity());
  pipe.put("ning\n");
  for (std::size_t i = 0; i < lines->capacity(); ++i) CHECK(machine.next(*lines) == "line");
  CHECK(machine.next(*lines) == "the beginning");
}

TEST_CASE("a line that is too long comes in pieces of the same size however it arrives") {
  for (const std::size_t extra : {0, 1, 7}) {
    CAPTURE(extra);
    Machine machine;
    TestPipe pipe;
    auto lines = read_lines(machine.reactor, pipe.give_read());
    REQUIRE(lines.has_value());
    const std::string most(kLineBytesMax, 'm');
    pipe.put(most);
    machine.turn();
    pipe.put(std::string(extra, 'e') + "\nafter\n");
    pipe.close_write();
    Result<> end;
    const Lines all = machine.rest(*lines, end);
    const Lines expected =
        extra == 0 ? Lines{most, "after"} : Lines{most, std::string(extra, 'e'), "after"};
    CHECK((all == expected));
  }
}

TEST_CASE("bytes that are no text pass through lines unchanged") {
  using namespace std::string_literals;
  CHECK(lines_of("\0\xff\r\n\x80"s) == Lines{"\0\xff\r"s, "\x80"s});
}

TEST_CASE("chunks bring every byte of a descriptor and then its end") {
  Machine machine;
  TestPipe pipe;
  auto chunks = read_chunks(machine.reactor, pipe.give_read());
  REQUIRE(chunks.has_value());
  pipe.put("abc");
  CHECK(as_text(machine.next(*chunks)) == "abc");
  const std::size_t filled = pipe.fill();
  pipe.close_write();
  Result<> end;
  std::size_t received = 0;
  for (const Bytes& chunk : machine.rest(*chunks, end)) {
    CHECK_FALSE(chunk.empty());
    received += chunk.size();
  }
  CHECK(end.has_value());
  CHECK(received == filled);
}

TEST_CASE("a descriptor is not read on while nobody receives") {
  Machine machine;
  TestPipe pipe;
  auto chunks = read_chunks(machine.reactor, pipe.give_read());
  REQUIRE(chunks.has_value());
  // Each round fills the pipe and gives the reader every chance; in the end nothing is taken.
  std::size_t taken = pipe.fill();
  for (std::size_t more = 1, round = 0; more > 0 && round < 100; ++round) {
    machine.turn();
    more = pipe.fill();
    taken += more;
    CHECK(round < 50);
  }
  CHECK(chunks->size() == chunks->capacity());
  CHECK(taken <= (2 + chunks->capacity()) * 64 * 1024);
  pipe.close_write();
  Result<> end;
  std::size_t received = 0;
  for (const Bytes& chunk : machine.rest(*chunks, end)) received += chunk.size();
  CHECK(received == taken);
}

TEST_CASE("lines are not read on while nobody receives") {
  Machine machine;
  TestPipe pipe;
  auto lines = read_lines(machine.reactor, pipe.give_read());
  REQUIRE(lines.has_value());
  pipe.put(std::string(1024, '\n'));
  machine.turn();
  std::size_t taken = pipe.fill();
  for (std::size_t more = 1, round = 0; more > 0 && round < 100; ++round) {
    machine.turn();
    more = pipe.fill();
    taken += more;
  }
  CHECK(lines->size() == lines->capacity());
  CHECK(taken <= 3 * 64 * 1024);
}

TEST_CASE("chunks are written in their order and an empty one waits for all before it") {
  Machine machine;
  TestPipe pipe;
  const int reader = pipe.read_end;
  auto tx = write_chunks(machine.reactor, pipe.give_write());
  REQUIRE(tx.has_value());
  CHECK(machine.send(*tx, "head,").has_value());
  const std::string much(1024 * 1024, 'm');
  CHECK(machine.send(*tx, much).has_value());  // it begins, and the pipe holds only a part
  CHECK_FALSE(*tx->try_send(Bytes{}));
  std::string seen;
  std::vector<char> chunk(64 * 1024);
  while (seen.size() < 5 + much.size()) {
    const ssize_t n = read(reader, chunk.data(), chunk.size());
    REQUIRE(n > 0);
    seen.append(chunk.data(), static_cast<std::size_t>(n));
    machine.turn();
  }
  CHECK((seen == "head," + much));
  CHECK(*tx->try_send(Bytes{}));
  CHECK(machine.send(*tx, "tail").has_value());
  tx->close();
  machine.turn();
  CHECK(read(reader, chunk.data(), chunk.size()) == 4);
  CHECK(read(reader, chunk.data(), chunk.size()) == 0);
}

TEST_CASE("closing a written channel lets what was accepted leave first") {
  Machine machine;
  TestPipe pipe;
  const int reader = pipe.read_end;
  auto tx = write_chunks(machine.reactor, pipe.give_write());
  REQUIRE(tx.has_value());
  const std::string much(300 * 1024, 'm');
  CHECK(machine.send(*tx, much).has_value());
  tx->close();
  std::size_t seen = 0;
  std::vector<char> chunk(64 * 1024);
  for (ssize_t n = 1; n > 0;) {
    machine.turn();
    n = read(reader, chunk.data(), chunk.size());
    seen += static_cast<std::size_t>(n);
  }
  CHECK(seen == much.size());
}

TEST_CASE("a written channel ends as stopped when nobody reads any more") {
  Machine machine;
  TestPipe pipe;
  auto tx = write_chunks(machine.reactor, pipe.give_write());
  REQUIRE(tx.has_value());
  CHECK(machine.send(*tx, "read").has_value());
  pipe.close_read();
  CHECK(machine.send(*tx, "unread").has_value());
  CHECK(machine.send(*tx, "").code() == Code::stopped);
  CHECK(machine.send(*tx, "more").code() == Code::stopped);
}

TEST_CASE("a written channel ends as resource_exhausted on a full disk") {
  Machine machine;
  auto tx = write_chunks(machine.reactor, ::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(tx.has_value());
  CHECK(machine.send(*tx, "x").has_value());
  CHECK(machine.send(*tx, "").code() == Code::resource_exhausted);
}

TEST_CASE("a channel of a descriptor that is open the other way is refused") {
  Machine machine;
  const TestPipe pipe;
  CHECK(read_chunks(machine.reactor, pipe.write_end).code() == Code::invalid_argument);
  CHECK(read_lines(machine.reactor, pipe.write_end).code() == Code::invalid_argument);
  CHECK(write_chunks(machine.reactor, pipe.read_end).code() == Code::invalid_argument);
}

TEST_CASE("dropping the receiver gives the descriptor up") {
  Machine machine;
  TestPipe pipe;
  {
    auto lines = read_lines(machine.reactor, pipe.give_read());
    REQUIRE(lines.has_value());
    pipe.put("part of a line");
    machine.turn();
  }
  machine.turn();
  pollfd left{.fd = pipe.write_end, .events = POLLOUT, .revents = 0};
  CHECK(poll(&left, 1, 0) == 1);
  CHECK((left.revents & POLLERR) != 0);
}

}  // namespace
}  // namespace tubing
