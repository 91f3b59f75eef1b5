#include "tubing/channel/uv_stdio.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

using tubing::Bytes;
using tubing::ByteView;
using tubing::Code;
using tubing::Error;
using tubing::Result;
using tubing::Time;
using tubing::channel::StdioReader;
using tubing::channel::StdioWriter;
using tubing::channel::UvReactor;

namespace {

// A descriptor that closes itself, unless it was given away.
struct Fd {
  int number = -1;
  Fd() = default;
  explicit Fd(int fd) : number(fd) { REQUIRE(fd >= 0); }
  Fd(Fd&& other) noexcept : number(std::exchange(other.number, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
  ~Fd() { reset(); }
  int give() { return std::exchange(number, -1); }
  void reset() {
    if (number >= 0) close(number);
    number = -1;
  }
};

struct Ends {
  Fd near;
  Fd far;
};

Ends make_pipe() {
  int fds[2];
  REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Ends make_socket_pair() {
  int fds[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

Ends make_terminal() {
  int master = -1;
  int slave = -1;
  REQUIRE(openpty(&master, &slave, nullptr, nullptr, nullptr) == 0);
  return {Fd(slave), Fd(master)};
}

// A file without a name that holds `content`, at its start.
Fd make_file(ByteView content) {
  std::string path = std::string(TUBING_BINARY_DIR) + "/stdio_XXXXXX";
  Fd file(mkstemp(path.data()));
  unlink(path.c_str());
  REQUIRE(write(file.number, content.data(), content.size()) ==
          static_cast<ssize_t>(content.size()));
  REQUIRE(lseek(file.number, 0, SEEK_SET) == 0);
  return file;
}

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t x = 7;
  for (std::byte& b : bytes) b = static_cast<std::byte>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

bool is_nonblocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

// A reader with what it told.
struct Reading {
  std::unique_ptr<StdioReader> reader;
  Bytes received;
  int chunks = 0;
  std::optional<Result<>> end;
  std::function<void()> then_on_chunk;

  Reading(UvReactor& reactor, Fd fd) {
    auto made = StdioReader::make(reactor, fd.number);
    REQUIRE(made);
    fd.give();
    reader = std::move(*made);
    reader->start(
        [this](ByteView bytes) {
          CHECK_FALSE(end);
          tubing::append(received, bytes);
          ++chunks;
          if (then_on_chunk) then_on_chunk();
        },
        [this](Result<> result) {
          CHECK_FALSE(end);
          end = std::move(result);
        });
  }
};

// A writer with what it told.
struct Writing {
  std::unique_ptr<StdioWriter> writer;
  int writable = 0;
  std::optional<Error> error;
  std::function<void()> then_on_writable;

  Writing(UvReactor& reactor, Fd fd) {
    auto made = StdioWriter::make(
        reactor, fd.number,
        [this] {
          ++writable;
          if (then_on_writable) then_on_writable();
        },
        [this](Error told) {
          CHECK_FALSE(error);
          error = told;
        });
    REQUIRE(made);
    fd.give();
    writer = std::move(*made);
  }
};

void run_until(UvReactor& reactor, const std::function<bool()>& done) {
  while (!done()) reactor.park(Time::max());
}

constexpr std::size_t kMuch = 1024 * 1024;

}  // namespace

TEST_CASE("a pipe is read to its end") {
  UvReactor reactor;
  auto [near, far] = make_pipe();
  Reading reading(reactor, std::move(near));
  CHECK(reactor.has_sources());
  REQUIRE(write(far.number, "abc", 3) == 3);
  run_until(reactor, [&] { return reading.received.size() == 3; });
  REQUIRE(write(far.number, "def", 3) == 3);
  far.reset();
  run_until(reactor, [&] { return reading.end.has_value(); });
  CHECK(reading.end->has_value());
  CHECK(tubing::as_text(reading.received) == "abcdef");
  reactor.park(Time::min());
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("a paused reader of a pipe leaves the bytes there until it is resumed") {
  UvReactor reactor;
  auto [near, far] = make_pipe();
  Reading reading(reactor, std::move(near));
  reading.reader->pause();
  CHECK_FALSE(reactor.has_sources());
  REQUIRE(write(far.number, "abc", 3) == 3);
  for (int i = 0; i < 3; ++i) reactor.park(Time::min());
  CHECK(reading.received.empty());
  reading.reader->resume();
  run_until(reactor, [&] { return reading.received.size() == 3; });
}

TEST_CASE("a file is read from its offset to its end in chunks") {
  UvReactor reactor;
  const Bytes content = pattern(3 * StdioReader::kChunkBytesMax);
  Fd file = make_file(content);
  REQUIRE(lseek(file.number, 100, SEEK_SET) == 100);
  Reading reading(reactor, std::move(file));
  run_until(reactor, [&] { return reading.end.has_value(); });
  CHECK(reading.end->has_value());
  CHECK(reading.received == Bytes(content.begin() + 100, content.end()));
  CHECK(reading.chunks == 3);
}

TEST_CASE("a paused reader of a file tells at most the chunk in flight") {
  UvReactor reactor;
  const Bytes content = pattern(3 * StdioReader::kChunkBytesMax);
  Reading reading(reactor, make_file(content));
  reading.reader->pause();
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(reading.chunks == 1);
  reading.then_on_chunk = [&] { reading.reader->pause(); };
  reading.reader->resume();
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(reading.chunks == 2);
  reading.reader->resume();
  reading.reader->resume();
  while (reactor.has_sources()) reactor.park(Time::max());
  reading.reader->resume();
  run_until(reactor, [&] { return reading.end.has_value(); });
  CHECK(reading.received == content);
}

TEST_CASE("a reader may be dropped in flight and in its callbacks") {
  UvReactor reactor;
  const Bytes content = pattern(kMuch);
  Reading in_flight(reactor, make_file(content));
  in_flight.reader.reset();

  Reading in_file_chunk(reactor, make_file(content));
  in_file_chunk.then_on_chunk = [&] { in_file_chunk.reader.reset(); };
  auto [near, far] = make_pipe();
  REQUIRE(write(far.number, "abc", 3) == 3);
  Reading in_pipe_chunk(reactor, std::move(near));
  in_pipe_chunk.then_on_chunk = [&] { in_pipe_chunk.reader.reset(); };
  run_until(reactor, [&] { return !in_file_chunk.reader && !in_pipe_chunk.reader; });
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(in_flight.chunks == 0);
  CHECK(in_file_chunk.chunks == 1);
  CHECK(in_pipe_chunk.chunks == 1);
  CHECK_FALSE(in_flight.end);
  CHECK(write(far.number, "x", 1) == -1);  // The dropped reader has closed its end.
}

TEST_CASE("a pipe takes a long write whole in its order and tells when it is gone") {
  UvReactor reactor;
  auto [near, far] = make_pipe();
  Writing writing(reactor, std::move(far));
  Reading reading(reactor, std::move(near));
  const Bytes much = pattern(kMuch);
  CHECK(writing.writer->write({}));
  REQUIRE(writing.writer->write(tubing::as_bytes("head")));
  REQUIRE_FALSE(writing.writer->write(much));
  CHECK(writing.writable == 0);
  run_until(reactor, [&] { return writing.writable == 1; });
  REQUIRE(writing.writer->write(tubing::as_bytes("tail")));
  writing.writer->close();
  writing.writer->close();
  run_until(reactor, [&] { return reading.end.has_value(); });
  Bytes expected;
  tubing::append(expected, tubing::as_bytes("head"));
  tubing::append(expected, much);
  tubing::append(expected, tubing::as_bytes("tail"));
  CHECK(reading.received == expected);
}

TEST_CASE("closing a writer finishes what is unfinished first") {
  UvReactor reactor;
  auto [near, far] = make_pipe();
  Writing writing(reactor, std::move(far));
  Reading reading(reactor, std::move(near));
  const Bytes much = pattern(kMuch);
  REQUIRE_FALSE(writing.writer->write(much));
  writing.writer->close();
  run_until(reactor, [&] { return reading.end.has_value(); });
  CHECK(reading.received == much);
  CHECK(writing.writable == 1);
}

TEST_CASE("writing to a pipe that nobody reads is an error told from the loop") {
  UvReactor reactor;
  auto [near, far] = make_pipe();
  Writing writing(reactor, std::move(far));
  near.reset();
  REQUIRE_FALSE(writing.writer->write(tubing::as_bytes("x")));
  CHECK_FALSE(writing.error);
  run_until(reactor, [&] { return writing.error.has_value(); });
  CHECK(writing.error->code() == Code::stopped);
  CHECK(writing.writable == 0);
  CHECK(writing.writer->write(tubing::as_bytes("to nobody")));
}

TEST_CASE("a reader that goes away under an unfinished write is an error") {
  UvReactor reactor;
  for (const bool is_socket : {false, true}) {
    CAPTURE(is_socket);
    auto [near, far] = is_socket ? make_socket_pair() : make_pipe();
    Writing writing(reactor, std::move(far));
    const Bytes much = pattern(kMuch);
    REQUIRE_FALSE(writing.writer->write(much));
    near.reset();
    run_until(reactor, [&] { return writing.error.has_value(); });
    CHECK(writing.error->code() == Code::stopped);
  }
}

TEST_CASE("a file takes every write whole") {
  UvReactor reactor;
  Fd file = make_file({});
  const Fd same(dup(file.number));
  Writing writing(reactor, std::move(file));
  const Bytes much = pattern(kMuch);
  int left = 3;
  writing.then_on_writable = [&] {
    if (--left > 0) REQUIRE_FALSE(writing.writer->write(much));
  };
  REQUIRE_FALSE(writing.writer->write(much));
  run_until(reactor, [&] { return left == 0; });
  writing.writer.reset();
  Bytes content(3 * kMuch + 1);
  REQUIRE(pread(same.number, content.data(), content.size(), 0) == 3 * kMuch);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto part = content.begin() + static_cast<std::ptrdiff_t>(i * kMuch);
    CHECK(std::equal(much.begin(), much.end(), part));
  }
}

TEST_CASE("a writer may be dropped in flight and in its callbacks") {
  UvReactor reactor;
  const Bytes much = pattern(kMuch);
  Writing in_flight(reactor, make_file({}));
  REQUIRE_FALSE(in_flight.writer->write(much));
  in_flight.writer.reset();

  Writing in_callback(reactor, make_file({}));
  in_callback.then_on_writable = [&] {
    REQUIRE_FALSE(in_callback.writer->write(much));
    in_callback.writer.reset();
  };
  REQUIRE_FALSE(in_callback.writer->write(much));
  auto [near, far] = make_pipe();
  Writing in_pipe(reactor, std::move(far));
  REQUIRE_FALSE(in_pipe.writer->write(much));
  in_pipe.writer.reset();
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(in_flight.writable == 0);
  CHECK(in_callback.writable == 1);
  CHECK(in_pipe.writable == 0);
}

TEST_CASE("a full disk is told with advice") {
  UvReactor reactor;
  Writing writing(reactor, Fd(open("/dev/full", O_WRONLY | O_CLOEXEC)));
  REQUIRE_FALSE(writing.writer->write(tubing::as_bytes("x")));
  run_until(reactor, [&] { return writing.error.has_value(); });
  CHECK(writing.error->code() == Code::resource_exhausted);
}

TEST_CASE("the null device ends at once and a directory is an error") {
  UvReactor reactor;
  Reading null(reactor, Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)));
  run_until(reactor, [&] { return null.end.has_value(); });
  CHECK(null.end->has_value());
  Reading directory(reactor, Fd(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  run_until(reactor, [&] { return directory.end.has_value(); });
  CHECK(directory.end->code() == Code::unavailable);
}

TEST_CASE("a terminal keeps its mode while it is read and written") {
  UvReactor reactor;
  auto [slave, master] = make_terminal();
  const Fd shared(dup(slave.number));
  Writing writing(reactor, Fd(dup(slave.number)));
  Reading reading(reactor, std::move(slave));
  CHECK_FALSE(is_nonblocking(shared.number));
  REQUIRE(write(master.number, "line\n", 5) == 5);
  run_until(reactor, [&] { return reading.received.size() == 5; });
  CHECK(tubing::as_text(reading.received) == "line\n");
  REQUIRE(writing.writer->write(tubing::as_bytes("prompt")));
  reading.reader.reset();
  writing.writer.reset();
  CHECK_FALSE(is_nonblocking(shared.number));
}

TEST_CASE("a descriptor that cannot be opened anew gets its mode back") {
  UvReactor reactor;
  auto [slave, master] = make_terminal();
  const Fd shared(dup(master.number));
  {
    Reading reading(reactor, std::move(master));
    CHECK(is_nonblocking(shared.number));
    REQUIRE(write(slave.number, "up", 2) == 2);
    run_until(reactor, [&] { return reading.received.size() == 2; });
  }
  CHECK_FALSE(is_nonblocking(shared.number));
}

TEST_CASE("a socket is read and written and keeps its mode") {
  UvReactor reactor;
  auto [near, far] = make_socket_pair();
  const Fd shared(dup(near.number));
  Writing writing(reactor, Fd(dup(near.number)));
  Reading reading(reactor, std::move(near));
  Reading other(reactor, Fd(dup(far.number)));
  CHECK_FALSE(is_nonblocking(shared.number));
  const Bytes much = pattern(kMuch);
  REQUIRE_FALSE(writing.writer->write(much));
  run_until(reactor, [&] { return other.received.size() == much.size(); });
  CHECK(other.received == much);
  REQUIRE(write(far.number, "back", 4) == 4);
  run_until(reactor, [&] { return reading.received.size() == 4; });
}

TEST_CASE("a standard descriptor that is closed leaves the null device in its place") {
  UvReactor reactor;
  const Fd saved(dup(STDIN_FILENO));
  auto [near, far] = make_pipe();
  REQUIRE(dup2(near.number, STDIN_FILENO) == STDIN_FILENO);
  near.reset();
  {
    Reading reading(reactor, Fd(STDIN_FILENO));
  }
  struct stat status = {};
  CHECK(fstat(STDIN_FILENO, &status) == 0);
  CHECK(status.st_rdev == makedev(1, 3));
  CHECK(write(far.number, "x", 1) == -1);
  CHECK(dup2(saved.number, STDIN_FILENO) == STDIN_FILENO);
}

TEST_CASE("a descriptor that is not open for the purpose is refused and not taken") {
  UvReactor reactor;
  auto [near, far] = make_pipe();
  const auto read_from_writer = StdioReader::make(reactor, far.number);
  CHECK(read_from_writer.code() == Code::invalid_argument);
  const auto write_to_reader = StdioWriter::make(reactor, near.number, [] {}, [](Error) {});
  CHECK(write_to_reader.code() == Code::invalid_argument);
  CHECK(write_to_reader.error().detail().find("cannot be used for writing") != std::string::npos);
  CHECK(StdioReader::make(reactor, -1).code() == Code::invalid_argument);
  CHECK(write(far.number, "x", 1) == 1);
}
