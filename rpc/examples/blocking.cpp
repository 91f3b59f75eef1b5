// echo.cpp without a coroutine: `blocking serve HOST:PORT` answers once, as alice, and
// `blocking ask alice@HOST:PORT` asks as bob.
#include "tubing/rpc/blocking.h"

#include <fmt/format.h>
using namespace tubing;
using namespace std::literals;

inline constexpr Service<std::string, std::string> kEcho{"echo.v1"};  // to the server, and back

Result<> serve(rpc::BlockingProgram& program, const std::string& address) {
  auto listener = program.serve(kEcho);
  auto at = program.listen(address);
  if (!listener || !at) return listener ? at.error() : listener.error();
  fmt::print("echo at {}\n", at->text());
  auto peer = listener->accept();  // one peer will do
  if (!peer) return peer.error();
  while (auto line = peer->recv())
    if (auto sent = peer->send("echo: " + *line); !sent) return sent;
  return peer->close(), Result<>();
}

Result<> ask(rpc::BlockingProgram& program, const std::string& server) {
  auto peer = program.open(kEcho, server, within(5s));
  if (!peer) return peer.error();
  if (auto sent = peer->send("hello", within(1s)); !sent) return sent;
  auto answer = peer->recv(within(5s));
  if (!answer) return answer.error();
  return fmt::print("{}\n", *answer), peer->close(), Result<>();
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc != 3) return fmt::print(stderr, "usage: blocking serve HOST:PORT | ask SERVER\n"), 2;
  const bool serves = argv[1] == "serve"s;
  auto program = rpc::BlockingProgram::start({.name = serves ? "alice" : "bob"});
  if (!program) return exit_status(program.error());
  return exit_status(serves ? serve(**program, argv[2]) : ask(**program, argv[2]));
}
