#include "tubing/rpc/blocking.h"

namespace tubing::rpc {
namespace {

/// How long a program that is stopped goes on sending what was given to closed channels.
constexpr Duration kDrainTimeMax = std::chrono::seconds(2);

Task<Address> listen_at(Program& program, std::string address) {
  co_return program.node().listen(co_await ok(Address::parse(address)));
}

}  // namespace

Result<std::unique_ptr<BlockingProgram>> BlockingProgram::start(const ProgramOptions& options) {
  std::unique_ptr<BlockingProgram> program(new BlockingProgram());
  Result<> started = program->loop_.start(options);
  if (!started) return std::move(started).error();
  return program;
}

BlockingProgram::~BlockingProgram() = default;

Result<Address> BlockingProgram::listen(const std::string& address) {
  return run([&](Program& program) { return listen_at(program, address); });
}

namespace detail {

Result<> BlockingLoop::start(const ProgramOptions& options) {
  ThreadChannel<Answered<void>> started{1};
  // It borrows the options: they are needed until the answer only.
  thread_ = std::thread([this, &options, started] { run_loop(options, started); });
  Result<Answered<void>> answered = started.recv();
  TUBING_ASSERT(answered && "the thread answers once");
  return std::move(answered->result);
}

Result<> BlockingLoop::stop() {
  calls_.close();
  if (thread_.joinable()) thread_.join();
  return ended_;
}

void BlockingLoop::run_loop(const ProgramOptions& options,
                            const ThreadChannel<Answered<void>>& started) {
  Result<std::unique_ptr<Program>> program = Program::make(options);
  if (!program) {
    (void)started.send(Answered<void>{std::move(program).error()});
    return;
  }
  Task<> task = take_calls(**program, calls_.rx((*program)->scheduler()));
  (void)started.send(Answered<void>{});
  ended_ = (*program)->run(std::move(task));
}

Task<> BlockingLoop::take_calls(Program& program, Receiver<Call> calls) {
  co_return co_await nursery([&](Nursery& sending) -> Task<> {
    std::optional<Pumps> pumps;
    Result<> ended = co_await nursery([&](Nursery& receiving) -> Task<> {
      pumps.emplace(receiving, sending);
      while (auto call = co_await calls.recv()) (*call)(program, *pumps);
      receiving.cancel();
      co_return {};
    });
    pumps->stopping.close();
    if (pumps->senders > 0) (void)co_await select(recv(pumps->drained), after(kDrainTimeMax));
    sending.cancel();
    co_return ended;
  });
}

}  // namespace detail
}  // namespace tubing::rpc
