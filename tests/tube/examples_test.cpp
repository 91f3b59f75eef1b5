#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "tests/crypto/temp_folder.h"
#include "tests/tube/process.h"
#include "tubing/rpc/program.h"

namespace tubing::cli {
namespace {

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
