#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/crypto/temp_folder.h"
#include "tests/tube/process.h"
#include "tubing/rpc/blocking.h"
#include "tubing/rpc/program.h"

namespace tubing::cli {
namespace {

using namespace std::chrono_literals;

using Lines = std::vector<std::string>;

std::string example(const std::string& name) {
  return std::string(EXAMPLE_FOLDER) + "/example_" + name;
}

Lines sorted_lines(const std::string& text) {
  Lines lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

/// What a pool prints, in the order of text.
Lines squares() {
  Lines lines;
  for (int i = 1; i <= 10; ++i)
    lines.push_back(std::to_string(i) + " squared is " + std::to_string(i * i));
  std::ranges::sort(lines);
  return lines;
}

/// Keys of all who take part.
struct Keys {
  crypto::TempFolder folder;
  Environment environment{"TUBING_KEYS=" + folder.file("keys")};

  explicit Keys(std::initializer_list<const char*> names) {
    for (const char* name : names)
      REQUIRE(run_process({TUBE_PROGRAM, "key", "new", name}, environment).status == 0);
  }
  Process start(std::vector<std::string> words, const Redirection& files = {}) const {
    words[0] = example(words[0]);
    return Process(words, environment, files);
  }
};

/// The first line that a server prints ends with its address.
std::string address_of(Process& server) {
  const std::string& text = server.await_out("\n");
  const std::string line = text.substr(0, text.find('\n'));
  return line.substr(line.rfind(' ') + 1);
}

TEST_CASE("the example of a local worker pool squares ten numbers") {
  const Finished finished = run_process({example("worker_pool_local")}, {});
  CHECK(finished.status == 0);
  CHECK(finished.err == "");
  CHECK(sorted_lines(finished.out) == squares());
}

TEST_CASE("the example of a local chat tells every member every line") {
  const Finished finished = run_process({example("chat_local")}, {});
  CHECK(finished.status == 0);
  CHECK(finished.err == "");
  CHECK(sorted_lines(finished.out) ==
        Lines{"[ann] ann: hello", "[ann] ben: hello", "[ben] ann: hello", "[ben] ben: hello"});
}

TEST_CASE("the example of a worker pool has its jobs done by two processes") {
  const Keys keys({"boss", "worker"});
  Process boss = keys.start({"worker_pool", "serve", "127.0.0.1:0"});
  const std::string peer = "boss@" + address_of(boss);
  Process one = keys.start({"worker_pool", "work", peer});
  Process other = keys.start({"worker_pool", "work", peer});
  const Finished served = boss.finish();
  CHECK(served.status == 0);
  CHECK(served.err == "");
  CHECK(sorted_lines(served.out.substr(served.out.find('\n') + 1)) == squares());
  for (Process* worker : {&one, &other}) worker->finish();
}

TEST_CASE("the example of a channel inside a message is answered on channels of its own") {
  const Keys keys({"oracle", "pilgrim"});
  Process oracle = keys.start({"reply_channel", "serve", "127.0.0.1:0"});
  Process pilgrim = keys.start({"reply_channel", "ask", "oracle@" + address_of(oracle)});
  const Finished asked = pilgrim.finish();
  CHECK(asked.err == "");
  CHECK(asked.status == 0);
  CHECK(asked.out == "1 2 3 and a sum of 500500\n");
}

TEST_CASE("the example without a coroutine asks and is answered by two processes") {
  const Keys keys({"alice", "bob"});
  Process alice = keys.start({"blocking", "serve", "127.0.0.1:0"});
  Process bob = keys.start({"blocking", "ask", "alice@" + address_of(alice)});
  const Finished asked = bob.finish();
  CHECK(asked.err == "");
  CHECK(asked.status == 0);
  CHECK(asked.out == "echo: hello\n");
  const Finished served = alice.finish();
  CHECK(served.err == "");
  CHECK(served.status == 0);
}

inline constexpr Service<std::string, std::string> kLines{"lines.v1"};

/// Two programs that block, in one process, with a channel between them.
struct BlockingPair {
  using Channel = rpc::BlockingChannel<std::string, std::string>;
  Keys keys{"alice", "bob"};
  std::unique_ptr<rpc::BlockingProgram> alice = start("alice");
  std::unique_ptr<rpc::BlockingProgram> bob = start("bob");
  Result<rpc::BlockingListener<std::string, std::string>> listener = alice->serve(kLines);
  std::string peer = "alice@" + alice->listen("127.0.0.1:0")->text();

  std::unique_ptr<rpc::BlockingProgram> start(const char* name) {
    auto program =
        rpc::BlockingProgram::start({.name = name, .key_folder = keys.folder.file("keys")});
    REQUIRE(program);
    return *std::move(program);
  }
};

TEST_CASE("threads that block hear everything that was sent before a close, and then the end") {
  BlockingPair pair;
  std::optional<BlockingPair::Channel> ask = *pair.bob->open(kLines, pair.peer, within(10s));
  CHECK(ask->peer().name == "alice");
  std::thread sender([&] {
    for (int i = 0; i < 500; ++i) CHECK(ask->send(std::to_string(i)).code() == Code::ok);
    ask->close();
  });
  auto served = *pair.listener->accept(within(10s));
  CHECK(served.peer().name == "bob");
  std::string last;
  Result<std::string> line = std::string();
  while ((line = served.recv())) last = *line;
  sender.join();
  CHECK(line.code() == Code::closed);
  CHECK(last == "499");
  CHECK(ask->send("late").code() == Code::closed);
  ask.reset();
  const Result<int> ran = pair.bob->run([](rpc::Program&) -> Task<int> { co_return 7; });
  CHECK(*ran == 7);
}

TEST_CASE("a channel that a thread drops before it is closed is reset at the peer") {
  BlockingPair pair;
  std::optional<BlockingPair::Channel> ask = *pair.bob->open(kLines, pair.peer, within(10s));
  CHECK(ask->send("one").code() == Code::ok);
  auto served = *pair.listener->accept(within(10s));
  CHECK(*served.recv(within(10s)) == "one");
  ask.reset();
  const Result<std::string> end = served.recv(within(10s));
  CHECK(end.code() == Code::reset);
  CHECK(end.error().status() == Code::cancelled);
}

TEST_CASE("stopping a blocking program ends every wait of its threads and sends what was closed") {
  BlockingPair pair;
  auto ask = *pair.bob->open(kLines, pair.peer, within(10s));
  auto served = *pair.listener->accept(within(10s));
  // More than the listener's side takes while nobody receives there: 64 values wait in its bridge,
  // one on the way to it, and 64 in the channel.
  for (int i = 0; i < 180; ++i) CHECK(ask.send("line").code() == Code::ok);
  ask.close();
  Code heard = Code::ok;
  std::thread waits([&] { heard = ask.recv().code(); });
  std::thread stops([&] { CHECK(pair.bob->stop().code() == Code::ok); });
  waits.join();
  CHECK(heard == Code::cancelled);
  int lines = 0;
  while (served.recv(within(10s))) ++lines;
  CHECK(lines == 180);
  stops.join();
  CHECK(pair.bob->open(kLines, pair.peer).code() == Code::cancelled);
  const auto missing =
      rpc::BlockingProgram::start({.name = "nobody", .key_folder = pair.keys.folder.file("keys")});
  CHECK(missing.code() == Code::not_found);
}

/// As the example writes it.
struct Job {
  int number = 0;
  int square = 0;
  static constexpr std::string_view type_name = "pool.Job.v1";
  static constexpr auto fields = tubing::fields("number", &Job::number, "square", &Job::square);
};
inline constexpr Service<Job, Job> kPool{"pool.v1", 1};

Task<> leave_with_a_job(rpc::Program& program, std::string boss) {
  auto pool = co_await ok(open(program.node(), kPool, PeerName{boss}));
  co_await ok(pool.rx.recv());
  co_return {};
}

TEST_CASE("the example of a worker pool gives the job of a worker that left to another") {
  const Keys keys({"boss", "worker"});
  Process boss = keys.start({"worker_pool", "serve", "127.0.0.1:0"});
  const std::string peer = "boss@" + address_of(boss);
  const auto leave = [&](rpc::Program& program) { return leave_with_a_job(program, peer); };
  REQUIRE(rpc::run_program({.name = "worker", .key_folder = keys.folder.file("keys")}, leave) == 0);
  Process worker = keys.start({"worker_pool", "work", peer});
  const Finished served = boss.finish();
  CHECK(served.status == 0);
  CHECK(sorted_lines(served.out.substr(served.out.find('\n') + 1)) == squares());
  CHECK(worker.finish().status == 0);
}

TEST_CASE("the example of a chat connects three processes") {
  const Keys keys({"room", "ann", "ben"});
  Process room = keys.start({"chat", "host", "127.0.0.1:0"});
  const std::string peer = "room@" + address_of(room);
  Process ann = keys.start({"chat", "join", "ann", peer});
  ann.await_out("ann joined\n");
  Process ben = keys.start({"chat", "join", "ben", peer});
  ann.await_out("ben joined\n");
  ann.type("hello ben\n");
  ben.await_out("ann: hello ben\n");
  ben.type("hello ann\nand goodbye");
  const Finished left = ben.finish();
  CHECK(left.status == 0);
  CHECK(left.out == "ben joined\nann: hello ben\nben: hello ann\nben: and goodbye\n");
  ann.await_out("ben left\n");
  const Finished last = ann.finish();
  CHECK(last.status == 0);
  CHECK(last.out == "ann joined\n" + left.out + "ben left\n");
  room.await_out("ann left\n");
  room.kill(SIGTERM);
  CHECK(room.finish().status == 0);
}

TEST_CASE("the example of a chat refuses a second member of the same name") {
  const Keys keys({"room", "ann"});
  Process room = keys.start({"chat", "host", "127.0.0.1:0"});
  const std::string peer = "room@" + address_of(room);
  Process ann = keys.start({"chat", "join", "ann", peer});
  ann.await_out("ann joined\n");
  Process again = keys.start({"chat", "join", "ann", peer});
  again.await_err("ann is in the room already");
  CHECK(again.finish().status == 1);
  ann.type("still here\n");
  ann.await_out("ann: still here\n");
  CHECK(ann.finish().status == 0);
}

TEST_CASE("the example of a chat tells a member who reads too slowly why it must go") {
  const Keys keys({"room", "ann", "ben"});
  Process room = keys.start({"chat", "host", "127.0.0.1:0"});
  const std::string peer = "room@" + address_of(room);
  Process ann = keys.start({"chat", "join", "ann", peer});
  ann.await_out("ann joined\n");
  ann.kill(SIGSTOP);
  Process ben = keys.start({"chat", "join", "ben", peer});
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "line " + std::to_string(i) + "\n";
  ben.type(lines);
  ben.await_out("ben: line 499\n");  // nobody waits for the slow one
  ann.kill(SIGCONT);
  const Finished slow = ann.finish();
  CHECK(slow.status == 1);
  CHECK(slow.err.find("resource_exhausted") != std::string::npos);
  CHECK(slow.err.find("ann reads too slowly") != std::string::npos);
  ben.await_out("ann left\n");
  CHECK(ben.finish().status == 0);
}

TEST_CASE("the example of a chat says goodbye to its members when the room is stopped") {
  const Keys keys({"room", "ann", "ben"});
  Process room = keys.start({"chat", "host", "127.0.0.1:0"});
  const std::string peer = "room@" + address_of(room);
  Process ann = keys.start({"chat", "join", "ann", peer});
  ann.await_out("ann joined\n");
  Process ben = keys.start({"chat", "join", "ben", peer});
  ann.await_out("ben joined\n");
  ben.await_out("ben joined\n");
  room.kill(SIGTERM);
  CHECK(room.finish().status == 0);
  for (Process* member : {&ann, &ben}) {
    const Finished finished = member->finish();
    CHECK(finished.status == 0);
    CHECK(finished.err == "");
  }
}

TEST_CASE("the example of a chat ends for its members when the room dies") {
  const Keys keys({"room", "ann"});
  Process room = keys.start({"chat", "host", "127.0.0.1:0"});
  Process ann = keys.start({"chat", "join", "ann", "room@" + address_of(room)});
  ann.await_out("ann joined\n");
  room.kill(SIGKILL);
  ann.await_err("lost");
  CHECK(ann.finish().status == 1);
}

TEST_CASE("the examples print their usage and exit with status 2") {
  for (const char* name : {"chat", "worker_pool"}) {
    CAPTURE(name);
    for (const std::vector<std::string>& words :
         {Lines{example(name)}, Lines{example(name), "x"}}) {
      const Finished finished = run_process(words, {});
      CHECK(finished.status == 2);
      CHECK(finished.err.starts_with("usage: "));
    }
  }
}

}  // namespace
}  // namespace tubing::cli
