// A worker pool over the network: `worker_pool serve HOST:PORT` hands out jobs to every process
// that runs `worker_pool work boss@HOST:PORT`. A job whose worker dies goes to another.
#include <fmt/format.h>

#include "tubing/rpc/program.h"
using namespace tubing;

struct Job {
  int number = 0;
  int square = 0;  // the worker fills it in
  static constexpr std::string_view type_name = "pool.Job.v1";
  static constexpr auto fields = tubing::fields("number", &Job::number, "square", &Job::square);
};
inline constexpr Service<Job, Job> kPool{"pool.v1", 1};

Task<Job> ask(Duplex<Job, Job>& worker, Job job) {
  co_await ok(worker.tx.send(job));
  co_return co_await worker.rx.recv();
}

Task<> serve_pool(rpc::Program& program, std::string address) {
  auto at = co_await ok(program.node().listen(co_await ok(rpc::Address::parse(address))));
  fmt::print("pool at {}\n", at.text());
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    Channel<Job> jobs{10}, done{10};
    for (int i = 1; i <= 10; ++i) co_await ok(jobs.send(Job{.number = i}));
    co_await ok(serve(n, program.node(), kPool, [=](Duplex<Job, Job>& worker) -> Task<> {
      while (auto job = co_await jobs.recv()) {
        auto answer = co_await ask(worker, *job);
        if (!answer) co_return co_await jobs.send(*job);  // another worker takes it
        co_await ok(done.send(*answer));
      }
      co_return {};
    }));
    for (int left = 10; left > 0; --left) {
      Job job = co_await ok(done.recv());
      fmt::print("{} squared is {}\n", job.number, job.square);
    }
    jobs.close();
    co_return n.cancel(), Result<>();
  });
}

Task<> work(rpc::Program& program, std::string boss) {
  auto pool = co_await ok(open(program.node(), kPool, PeerName{boss}));
  while (auto job = co_await pool.rx.recv())
    co_await ok(pool.tx.send(Job{job->number, job->number * job->number}));
  co_return pool.rx.end();
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string verb = argc == 3 ? argv[1] : "";
  if (verb == "serve")
    return rpc::run_program({.name = "boss"}, [&](auto& p) { return serve_pool(p, argv[2]); });
  if (verb == "work")
    return rpc::run_program({.name = "worker"}, [&](auto& p) { return work(p, argv[2]); });
  return fmt::print(stderr, "usage: worker_pool serve HOST:PORT | work boss@HOST:PORT\n"), 2;
}
