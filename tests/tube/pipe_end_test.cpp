// How a pipe ends: in order, or with what went wrong at either of its ends.
#include <doctest/doctest.h>
#include <signal.h>

#include <memory>
#include <string>

#include "tests/tube/pipe_pair.h"
#include "tubing/rpc/program.h"

namespace tubing::cli {
namespace {

/// The service of a pipe, as tube/README.md tells it.
inline constexpr Service<Bytes, Bytes> kPipe{.name = "tube.pipe.v1", .capacity = 32};

/// A bob that dials by hand what `tube pipe` listens at.
struct Stranger {
  std::unique_ptr<rpc::Program> program;
  Duplex<Bytes, Bytes> channel;

  explicit Stranger(const Pair& pair) {
    auto made = rpc::Program::make({.name = "bob", .key_folder = pair.keys});
    REQUIRE(made.has_value());
    program = *std::move(made);
  }
  void run(Task<> part) const {
    const Result<> done = program->scheduler().run(std::move(part));
    CAPTURE((done ? "" : done.error().text()));
    CHECK(done.has_value());
  }
  Task<> dial(PeerName peer) {
    channel = co_await ok(open(program->node(), kPipe, std::move(peer)));
    co_return {};
  }
  /// Its connection ends without a goodbye.
  void dies() {
    channel = {};
    program.reset();
  }
};

Task<> end_input(Sender<Bytes> tx) {
  co_await ok(tx.send(Bytes{}));
  co_return co_await tx.flush();
}

Task<> leave_early(Sender<Bytes> tx, bool sends_more) {
  co_await ok(tx.send(Bytes{}));
  if (sends_more) co_await ok(tx.send(Bytes{std::byte{7}}));
  tx.close();
  (void)co_await tx.flush();  // the other side resets it
  co_return {};
}

TEST_CASE("tube pipe receives on after its own input has ended") {
  const Pair pair;
  Process alice = pair.listener();
  Process bob = pair.dialler("alice@" + address_of(alice), {.in = "/dev/null"});
  alice.await_err("connected to bob");
  alice.type("an answer");
  bob.await_out("an answer");
  alice.type(", and another");
  bob.await_out(", and another");
  const Finished served = alice.finish();
  const Finished dialled = bob.finish();
  CHECK(served.status == 0);
  CHECK(dialled.status == 0);
  CHECK(dialled.out == "an answer, and another");
}

TEST_CASE("tube pipe ends with lost when its peer is killed") {
  const Pair pair;
  for (const bool listener_dies : {false, true}) {
    CAPTURE(listener_dies);
    Process alice = pair.listener();
    Process bob = pair.dialler("alice@" + address_of(alice));
    bob.type("so far");
    alice.await_out("so far");
    (listener_dies ? alice : bob).kill(SIGKILL);
    const Finished left = (listener_dies ? bob : alice).finish();
    check_refused(left, {"lost"});
    CHECK((listener_dies ? alice : bob).finish().status == 128 + SIGKILL);
  }
}

TEST_CASE("tube pipe ends with lost when its peer goes and only its own input is left") {
  const Pair pair;
  Stranger bob(pair);
  Process alice = pair.listener();
  bob.run(bob.dial(PeerName{"alice@" + address_of(alice)}));
  bob.run(end_input(bob.channel.tx));  // and alice has seen the end
  bob.dies();
  alice.await_err("tube: recv: lost: ");  // although nobody types, and the input is open
  check_refused(alice.finish(), {"lost"});
}

TEST_CASE("tube pipe ends with an error when its peer leaves before it has all of the input") {
  const Pair pair;
  for (const bool sends_more : {false, true}) {
    CAPTURE(sends_more);
    Stranger bob(pair);
    Process alice = pair.listener();
    bob.run(bob.dial(PeerName{"alice@" + address_of(alice)}));
    bob.run(leave_early(bob.channel.tx, sends_more));
    alice.await_err("data_loss: ");  // although the input is open
    check_refused(alice.finish(),
                  {sends_more ? "more behind the end of its input" : "left before it had all"});
  }
}

TEST_CASE("tube pipe ends with an error when its peer could not keep what was sent") {
  const Pair pair;
  Process alice = pair.listener({.out = "/dev/full"});
  Process bob = pair.dialler("alice@" + address_of(alice));
  bob.type("more than the disk holds");
  bob.await_err("the disk is full");  // although its own input goes on
  check_refused(bob.finish(), {"reset (resource_exhausted)"});
  check_refused(alice.finish(), {"resource_exhausted", "the disk is full; make room"});
}

TEST_CASE("tube pipe ends well only once its peer has written everything") {
  const Pair pair;
  const std::string sent = pair.file_of(200'000, 3);
  Process alice = pair.listener({.in = "/dev/null"});
  Process bob = pair.dialler("alice@" + address_of(alice), {.in = sent}, {"--progress"});
  // Nobody reads what alice writes, and a pipe holds less than the file; the channel holds more.
  bob.await_err("sent 200.00 kB");
  alice.kill(SIGKILL);
  alice.finish();
  check_refused(bob.finish(), {"lost"});
}

TEST_CASE("tube pipe ends with an error when nobody reads its output") {
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/zero"});
  Process bob = pair.dialler("alice@" + address_of(alice), {.in = "/dev/null"});
  bob.await_out(std::string(10, '\0'));
  bob.close_output();
  check_refused(bob.finish(), {"stopped", "the program that reads this output has gone"});
  CHECK(alice.finish().status == 1);
}

}  // namespace
}  // namespace tubing::cli
