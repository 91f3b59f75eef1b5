#include "tubing/channel/signals.h"

#include <memory>
#include <utility>

namespace tubing {
namespace {

using Subscription = channel::Reactor::Subscription;

/// Keeps the subscriptions as long as the channel.
class SignalSource final : public detail::Source {
 public:
  void on_taken() override {}
  void keep(std::unique_ptr<Subscription> subscription) {
    subscriptions_.push_back(std::move(subscription));
  }

 private:
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
};

}  // namespace

Task<Receiver<int>> signals(std::vector<int> numbers) {
  Scheduler& scheduler = co_await current_scheduler();
  auto* core = new detail::ChannelCore<int>(kPendingSignalsMax);
  Receiver<int> rx(core);
  auto attached = std::make_unique<SignalSource>();
  SignalSource& source = *attached;
  core->attach(std::move(attached));
  for (int number : numbers) {
    source.keep(co_await ok(scheduler.reactor().watch_signal(number, [core](int heard) {
      if (core->size() < core->capacity()) core->deliver(int{heard});
    })));
  }
  co_return rx;
}

}  // namespace tubing
