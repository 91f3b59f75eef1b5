#include "tubing/sim/virtual_reactor.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tubing/channel/base/assert.h"

namespace tubing::sim {
namespace {

// POSIX's numbers of the two signals that no process may handle, and the last one on Linux.
constexpr int kSignalKill = 9;
constexpr int kSignalStop = 19;
constexpr int kSignalMax = 64;

}  // namespace

class VirtualReactor::SignalSubscription final : public Subscription {
 public:
  SignalSubscription(VirtualReactor& reactor, std::uint64_t watch)
      : reactor_(reactor), watch_(watch) {}
  ~SignalSubscription() override { reactor_.watches_.erase(watch_); }

 private:
  VirtualReactor& reactor_;
  std::uint64_t watch_;
};

VirtualReactor::~VirtualReactor() {
  mailbox().close();
  raised_.clear();
  TUBING_ASSERT(watches_.empty() && "a subscription ends before its reactor", watches_.size());
  TUBING_ASSERT(events_.empty() && "an event ends before its reactor", events_.size());
}

VirtualReactor::Event VirtualReactor::schedule(Time at, Callback callback) {
  const Time due = std::max(at, now_);
  wake_at_ = std::min(wake_at_, due);
  return events_.schedule(due, std::move(callback));
}

void VirtualReactor::limit(Time at, Callback on_limit) {
  limit_ = at;
  on_limit_ = std::move(on_limit);
}

void VirtualReactor::raise(int number) {
  const std::uint64_t id = next_raised_++;
  raised_.emplace(id, schedule(now_, [this, id, number] {
                    raised_.erase(id);
                    deliver_signal(number);
                  }));
}

void VirtualReactor::park(Time until) {
  TUBING_ASSERT(!parked_ && "park is not called from a callback");
  parked_ = true;
  const Time until_world = std::exchange(woken_, false) ? now_ : clock_.world_at(until);
  const Time target = std::max(now_, std::min(until_world, events_.next()));
  if (target > limit_ && on_limit_) {
    now_ = std::max(now_, limit_);
    std::exchange(on_limit_, nullptr)();
  } else {
    TUBING_ASSERT(target != Time::max() && "nothing can end this wait");
    now_ = target;
    events_.run_due(now_);
  }
  parked_ = false;
  mailbox().deliver();
}

Result<> VirtualReactor::start(channel::Work& work) {
  Event event = schedule(now_, [this, &work] {
    std::erase_if(works_, [&](const auto& started) { return started.first == &work; });
    work.run();
    work.on_done();
  });
  works_.emplace_back(&work, std::move(event));
  return {};
}

bool VirtualReactor::withdraw(channel::Work& work) {
  return std::erase_if(works_, [&](const auto& started) { return started.first == &work; }) > 0;
}

Time VirtualReactor::now() {
  const Time read = clock_.read(now_);
  if (clock_reader_ != nullptr) clock_reader_->on_clock_read();
  return read;
}

WallTime VirtualReactor::wall_now() {
  const Duration since_start = clock_.read(now_).time_since_epoch() + clock_.wall_offset();
  if (clock_reader_ != nullptr) clock_reader_->on_clock_read();
  return {epoch_.since_epoch_ns + since_start.count()};
}

void VirtualReactor::deliver_signal(int number) {
  std::vector<std::uint64_t> watching;
  for (const auto& [id, watch] : watches_)
    if (watch.number == number) watching.push_back(id);
  for (const std::uint64_t id : watching) {
    const auto found = watches_.find(id);
    if (found == watches_.end()) continue;  // an earlier callback dropped it
    const std::function<void(int)> on_signal = found->second.on_signal;
    on_signal(number);
  }
}

Result<std::unique_ptr<channel::Reactor::Subscription>> VirtualReactor::watch_signal(
    int number, std::function<void(int)> on_signal) {
  if (number < 1 || number > kSignalMax || number == kSignalKill || number == kSignalStop)
    return Error(Code::invalid_argument, "watch_signal",
                 fmt::format("signal {} cannot be watched; name one that a program may handle, "
                             "such as SIGINT or SIGTERM",
                             number));
  const std::uint64_t id = next_watch_++;
  watches_.emplace(id, Watch{number, std::move(on_signal)});
  return std::make_unique<SignalSubscription>(*this, id);
}

}  // namespace tubing::sim
