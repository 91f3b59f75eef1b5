// A worker pool over the network: `worker_pool serve HOST:PORT` hands out jobs to every process
// that runs `worker_pool work boss@HOST:PORT`. A job whose worker dies goes to another.
#include <fmt/format.h>

#include "tubing/rpc/program.h"

using namespace tubing;

struct Job {
  int number = 0;
  static constexpr std::string_view type_name = "pool.Job.v1";
  static constexpr auto fields = tubing::fields("number", &Job::number);
};
struct Answer {
  int number = 0, square = 0;
  static constexpr std::string_view type_name = "pool.Answer.v1";
  static constexpr auto fields =
      tubing::fields("number", &Answer::number, "square", &Answer::square);
};
inline constexpr Service<Answer, Job> kPool{"pool.v1", 1};

Task<> serve_pool(rpc::Program& program, std::string address) {
  co_await ok(program.node().listen(co_await ok(rpc::Address::parse(address))));
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    Channel<Job> jobs{10};
    Channel<Answer> answers{10};
    for (int i = 1; i <= 10; ++i) co_await ok(jobs.send(Job{i}));
    auto feed = [=](Duplex<Job, Answer>& worker) -> Task<> {
      while (auto job = co_await jobs.recv()) {
        Result<> sent = co_await worker.tx.send(*job);
        Result<Answer> answer = co_await worker.rx.recv();
        if (!sent || !answer) co_return co_await jobs.send(*job);  // another worker takes it
        co_await ok(answers.send(*answer));
      }
      co_return {};
    };
    co_await ok(serve(n, program.node(), kPool, feed));
    for (int left = 10; left > 0; --left) {
      Answer answer = co_await ok(answers.recv());
      fmt::print("{} squared is {}\n", answer.number, answer.square);
    }
    jobs.close();
    co_return n.cancel(), Result<>();
  });
}

Task<> work(rpc::Program& program, std::string boss) {
  auto pool = co_await ok(open(program.node(), kPool, PeerName{boss}));
  while (auto job = co_await pool.rx.recv())
    co_await ok(pool.tx.send(Answer{job->number, job->number * job->number}));
  co_return pool.rx.end();
}

int main(int argc, char** argv) {
  const std::string verb = argc == 3 ? argv[1] : "", where = argc == 3 ? argv[2] : "";
  if (verb != "serve" && verb != "work")
    return fmt::print(stderr, "usage: worker_pool serve HOST:PORT | work boss@HOST:PORT\n"), 2;
  return rpc::run_program({.name = verb == "serve" ? "boss" : "worker"}, [&](rpc::Program& p) {
    return verb == "serve" ? serve_pool(p, where) : work(p, where);
  });
}
