// The C++ side of the interop tests: what it serves, and what it asks of a Python listener.
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tubing/crypto/psk_file.h"
#include "tubing/rpc/program.h"
using namespace tubing;

namespace {

// A field of each form that a value may have.
struct Sample {
  std::int64_t number = 0;
  std::string text;
  bool flag = false;
  double ratio = 0;
  std::vector<std::int32_t> list;
  static constexpr std::string_view type_name = "interop.Sample.v1";
  static constexpr auto fields =
      tubing::fields("number", &Sample::number, "text", &Sample::text, "flag", &Sample::flag,
                     "ratio", &Sample::ratio, "list", &Sample::list);
};

// A value with a channel in it.
struct Errand {
  std::int64_t last = 0;
  Duplex<std::int64_t, std::int64_t> numbers;
  static constexpr std::string_view type_name = "interop.Errand.v1";
  static constexpr auto fields = tubing::fields("last", &Errand::last, "numbers", &Errand::numbers);
};

inline constexpr Service<Sample, Sample> kEcho{"interop.echo.v1", 2};
inline constexpr Service<std::int64_t, std::int64_t> kCount{"interop.count.v1", 4};
inline constexpr Service<std::int64_t, std::int64_t> kStop{"interop.stop.v1", 4};
inline constexpr Service<std::int64_t, std::int64_t> kFail{"interop.fail.v1", 4};
inline constexpr Service<std::int64_t, std::string> kRoles{"interop.roles.v1", 4};
inline constexpr Service<Errand, Errand> kErrand{"interop.errand.v1", 2};

Sample answer_to(Sample sample) {
  sample.number += 1;
  sample.text += "!";
  sample.list.push_back(-1);
  return sample;
}

Task<> echo(Duplex<Sample, Sample>& peer) {
  while (auto sample = co_await peer.rx.recv()) co_await ok(peer.tx.send(answer_to(*sample)));
  co_return peer.rx.end();
}

// Counts up to each number that comes.
Task<> count(Duplex<std::int64_t, std::int64_t>& peer) {
  while (auto last = co_await peer.rx.recv())
    for (std::int64_t i = 1; i <= *last; ++i) co_await ok(peer.tx.send(i));
  co_return peer.rx.end();
}

// Takes three numbers and no more, and sends their sum.
Task<> stop_early(Duplex<std::int64_t, std::int64_t>& peer) {
  std::int64_t sum = 0;
  {
    auto rx = std::move(peer.rx);
    for (int i = 0; i < 3; ++i) sum += co_await ok(rx.recv());
  }
  co_return co_await peer.tx.send(sum);
}

Task<> fail(Duplex<std::int64_t, std::int64_t>& peer) {
  const std::int64_t number = co_await ok(peer.rx.recv());
  co_return Error(Code::data_loss, "interop", fmt::format("{} is lost", number));
}

// Counts up on the channel that came, and passes one back on which it counts again.
Task<> run_errands(Duplex<Errand, Errand>& peer) {
  while (auto errand = co_await peer.rx.recv()) {
    for (std::int64_t i = 1; i <= errand->last; ++i) co_await ok(errand->numbers.tx.send(i));
    errand->numbers.tx.close();
    const std::int64_t again = co_await ok(errand->numbers.rx.recv());
    auto [mine, theirs] = make_duplex<std::int64_t, std::int64_t>(2);
    co_await ok(peer.tx.send(Errand{again, std::move(theirs)}));
    for (std::int64_t i = 1; i <= again; ++i) co_await ok(mine.tx.send(i));
    mine.tx.close();
    if (auto more = co_await mine.rx.recv()) co_return Error(Code::data_loss, "errand", "too much");
  }
  co_return peer.rx.end();
}

// Tells the opener which roles its certificate gives it now.
Task<> tell_roles(Duplex<std::string, std::int64_t>& opener) {
  for (const std::string& role : opener.peer().roles) co_await ok(opener.tx.send(role));
  co_return {};
}

Task<> serve_all(rpc::Program& program) {
  const auto address = co_await ok(program.node().listen({"127.0.0.1", 0}));
  fmt::print(stderr, "listens at {}:{}\n", address.host, address.port);
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, program.node(), kEcho, echo));
    co_await ok(serve(n, program.node(), kCount, count));
    co_await ok(serve(n, program.node(), kStop, stop_early));
    co_await ok(serve(n, program.node(), kFail, fail));
    co_await ok(serve(n, program.node(), kRoles, tell_roles));
    co_await ok(serve(n, program.node(), kErrand, run_errands));
    co_return {};
  });
}

Task<> ask(rpc::Program& program, std::string peer_name) {
  auto peer = co_await ok(open(program.node(), kEcho, {peer_name}));
  for (std::int64_t i = 0; i < 2000; ++i) {
    const Sample sample{i, std::string(i % 300, 'x'), i % 2 == 0, i / 8.0, {1, -2}};
    co_await ok(peer.tx.send(sample));
    const Sample answer = co_await ok(peer.rx.recv());
    if (answer.number != i + 1 || answer.text != sample.text + "!" || answer.list.size() != 3)
      co_return Error(Code::data_loss, "ask", fmt::format("answer {} differs", i));
  }
  peer.tx.close();
  if (auto more = co_await peer.rx.recv()) co_return Error(Code::data_loss, "ask", "one too many");
  co_return peer.rx.end();
}

// Opens one channel after the other: each must have its place again.
Task<> visit(rpc::Program& program, std::string peer_name) {
  for (std::int64_t i = 0; i < 40; ++i) {
    auto peer = co_await ok(open(program.node(), kCount, {peer_name}));
    co_await ok(peer.tx.send(i));
    peer.tx.close();
    if (co_await ok(peer.rx.recv()) != i) co_return Error(Code::data_loss, "visit", "wrong answer");
    if (co_await peer.rx.recv()) co_return Error(Code::data_loss, "visit", "one too many");
    co_await ok(peer.rx.end());
  }
  co_return {};
}

constexpr crypto::Suite kAes[] = {crypto::Suite::aes_gcm};

int usage() {
  fmt::print(stderr,
             "usage: interop_server serve NAME | ask NAME PEER@HOST:PORT | visit NAME "
             "PEER@HOST:PORT\n  then [--aes] [--psk FILE]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) return usage();
  const std::size_t own = words[0] == "serve" ? 2 : 3;
  if (words.size() < own) return usage();
  rpc::ProgramOptions options{.name = words[1]};
  Result<crypto::Secret<crypto::kPskBytes>> psk = Error(Code::not_found, "psk");
  for (std::size_t i = own; i < words.size(); ++i) {
    if (words[i] == "--aes") {
      options.suites = kAes;
    } else if (words[i] == "--psk" && i + 1 < words.size()) {
      psk = crypto::read_psk_file(words[++i]);
      if (!psk) return exit_status(std::move(psk).error());
      options.psk = &*psk;
    } else {
      return usage();
    }
  }
  return rpc::run_program(options, [&](rpc::Program& program) {
    if (words[0] == "serve") return serve_all(program);
    return words[0] == "ask" ? ask(program, words[2]) : visit(program, words[2]);
  });
}
