// A chat room in one process: a room selects over its members' lines and tells all of them.
#include <fmt/format.h>

#include <map>

#include "tubing/channel/go.h"

using namespace tubing;

using Room = Duplex<std::string, std::string>;  // what a member holds: lines out, lines in

Task<> host_room(Receiver<std::string> lines, std::map<std::string, Sender<std::string>> members) {
  while (auto line = co_await lines.recv())
    for (auto& [name, member] : members) co_await ok(member.send(*line));
  for (auto& [name, member] : members) member.close();
  co_return lines.end();
}

Task<> member(std::string name, Sender<std::string> room, Receiver<std::string> inbox) {
  co_await ok(room.send(name + ": hello"));
  for (;;) {
    auto s = co_await ok(select(recv(inbox), after(std::chrono::milliseconds(20))));
    if (s.index() == 1) break;  // nobody spoke for a while
    fmt::print("[{}] {}\n", name, co_await ok(s.get<0>()));
  }
  co_return {};
}

Task<> chat() {
  co_return co_await nursery([](Nursery& n) -> Task<> {
    Channel<std::string> lines{16};
    std::map<std::string, Sender<std::string>> members;
    for (const char* name : {"ann", "bob"}) {
      Channel<std::string> inbox{16};
      members[name] = inbox;
      n.spawn(name, member(name, lines, inbox));
    }
    n.spawn("room", host_room(lines, members));
    co_await ok(sleep(std::chrono::milliseconds(50)));
    lines.close();
    co_return {};
  });
}

int main() { return run_main(chat()); }
