// A chat room in one process: what one member says, all of them hear.
#include <fmt/format.h>

#include <map>

#include "tubing/channel/go.h"

using namespace tubing;

Task<> host_room(Receiver<std::string> lines, std::map<std::string, Sender<std::string>> members) {
  for (;;) {
    auto s = co_await ok(select(recv(lines), after(std::chrono::milliseconds(20))));
    if (s.index() == 1) break;  // nobody has spoken for a while
    const std::string line = co_await ok(s.get<0>());
    for (auto& [name, member] : members) co_await ok(member.send(line));
  }
  for (auto& [name, member] : members) member.close();
  co_return {};
}

Task<> member(std::string name, Sender<std::string> room, Receiver<std::string> inbox) {
  co_await ok(room.send(name + ": hello"));
  while (auto line = co_await inbox.recv()) fmt::print("[{}] {}\n", name, *line);
  co_return inbox.end();
}

Task<> chat() {
  co_return co_await nursery([](Nursery& n) -> Task<> {
    Channel<std::string> lines{16};
    std::map<std::string, Sender<std::string>> members;
    for (const char* name : {"ann", "ben"}) {
      Channel<std::string> inbox{16};
      members[name] = inbox;
      n.spawn(name, member(name, lines, inbox));
    }
    n.spawn("room", host_room(lines, members));
    co_return {};
  });
}

int main() { return run_main(chat()); }
