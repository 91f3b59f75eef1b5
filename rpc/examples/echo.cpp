// An echo service: the first example of README.md.
#include <fmt/format.h>

#include "tubing/rpc/program.h"
using namespace tubing;

inline constexpr Service<std::string, std::string> kEcho{"echo.v1"};  // to the server, and back

Task<> echo(Duplex<std::string, std::string>& peer) {
  while (auto line = co_await peer.rx.recv()) co_await ok(peer.tx.send("echo: " + *line));
  co_return peer.rx.end();
}

Task<> serve_echo(rpc::Program& program) {
  co_await ok(program.node().listen({"127.0.0.1", 7000}));
  co_return co_await nursery(
      [&](Nursery& n) -> Task<> { co_return serve(n, program.node(), kEcho, echo); });
}

Task<> ask(rpc::Program& program) {
  auto peer = co_await ok(open(program.node(), kEcho, {"alice@127.0.0.1:7000"}));
  co_await ok(peer.tx.send("hello"));
  fmt::print("{}\n", co_await ok(peer.rx.recv()));
  co_return {};
}

int main(int argc, char**) {
  if (argc == 1) return rpc::run_program({.name = "alice"}, serve_echo);
  return rpc::run_program({.name = "bob"}, ask);
}
