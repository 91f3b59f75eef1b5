// A worker pool in one process: jobs go to whichever worker is free, answers come back.
#include <fmt/format.h>

#include "tubing/channel/go.h"

using namespace tubing;

struct Job {
  int number = 0;
};
struct Answer {
  int number = 0;
  int square = 0;
};

Task<> work(Receiver<Job> jobs, Sender<Answer> answers) {
  while (auto job = co_await jobs.recv())
    co_await ok(answers.send(Answer{job->number, job->number * job->number}));
  co_return jobs.end();
}

Task<> send_jobs(Sender<Job> jobs, int count) {
  for (int i = 1; i <= count; ++i) co_await ok(jobs.send(Job{i}));
  jobs.close();
  co_return {};
}

Task<> run_pool() {
  co_return co_await nursery([](Nursery& n) -> Task<> {
    Channel<Job> jobs{8};
    Channel<Answer> answers{8};
    n.spawn("jobs", send_jobs(jobs, 10));
    for (int worker = 1; worker <= 3; ++worker)
      n.spawn(fmt::format("worker {}", worker), work(jobs, answers));
    for (int left = 10; left > 0; --left) {
      Answer answer = co_await ok(answers.recv());
      fmt::print("{} squared is {}\n", answer.number, answer.square);
    }
    co_return {};
  });
}

int main() { return run_main(run_pool()); }
