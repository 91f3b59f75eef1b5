// A channel inside a message, as Go's `chan chan T`: each question carries the channel for its own
// answers. `reply_channel serve HOST:PORT`, then `reply_channel ask oracle@HOST:PORT`.
#include <fmt/format.h>

#include "tubing/rpc/program.h"
using namespace tubing;

struct Question {
  int count_to = 0;
  Sender<int> answers;  // whoever gets the question sends here
  static constexpr std::string_view type_name = "oracle.Question.v1";
  static constexpr auto fields =
      tubing::fields("count_to", &Question::count_to, "answers", &Question::answers);
};
inline constexpr Service<Question, std::monostate> kOracle{"oracle.v1"};

Task<> count(Question question) {
  for (int i = 1; i <= question.count_to; ++i) co_await ok(question.answers.send(i));
  question.answers.close();
  co_return {};
}

Task<> serve_oracle(rpc::Program& program, std::string address) {
  auto at = co_await ok(program.node().listen(co_await ok(rpc::Address::parse(address))));
  fmt::print("oracle at {}\n", at.text());
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_return serve(n, program.node(), kOracle, [&n](auto& peer) -> Task<> {
      while (auto question = co_await peer.rx.recv()) n.spawn("count", count(*std::move(question)));
      co_return peer.rx.end();
    });
  });
}

Task<> ask(rpc::Program& program, std::string oracle) {
  auto questions = co_await ok(open(program.node(), kOracle, PeerName{oracle}));
  Channel<int> small{4}, large{4};
  co_await ok(questions.tx.send(Question{3, small.tx()}));
  co_await ok(questions.tx.send(Question{1000, large.tx()}));
  int sum = 0;
  while (auto answer = co_await large.recv()) sum += *answer;
  co_await ok(large.end());
  while (auto answer = co_await small.recv()) fmt::print("{} ", *answer);
  fmt::print("and a sum of {}\n", sum);
  questions.tx.close();
  co_return small.end();
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string verb = argc == 3 ? argv[1] : "";
  if (verb == "serve")
    return rpc::run_program({.name = "oracle"}, [&](auto& p) { return serve_oracle(p, argv[2]); });
  if (verb == "ask")
    return rpc::run_program({.name = "pilgrim"}, [&](auto& p) { return ask(p, argv[2]); });
  return fmt::print(stderr, "usage: reply_channel serve HOST:PORT | ask oracle@HOST:PORT\n"), 2;
}
