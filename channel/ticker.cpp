#include "tubing/channel/ticker.h"

#include "tubing/channel/timers.h"

namespace tubing {
namespace {

/// The timer of one ticker; lives as long as its channel.
class TickSource final : public detail::Source, public detail::Timer {
 public:
  TickSource(Scheduler& scheduler, detail::ChannelCore<Time>& ticks, Duration period)
      : scheduler_(scheduler), ticks_(ticks), period_(period) {
    fire = [](detail::Timer& timer) { static_cast<TickSource&>(timer).tick(); };
    scheduler_.timers().arm(*this, within(period_).from(scheduler_.now()));
  }
  ~TickSource() override { scheduler_.timers().disarm(*this); }
  void on_taken() override {}

 private:
  void tick() {
    const Time now_due = due;
    // The next multiple of the period that is still to come: what passed meanwhile is dropped.
    const std::int64_t late = std::max<std::int64_t>((scheduler_.now() - now_due).count(), 0);
    const Duration ahead = period_ * (late / period_.count()) + period_;
    scheduler_.timers().arm(*this, within(ahead).from(now_due));
    if (ticks_.size() < kPendingTicksMax) ticks_.deliver(Time(now_due));
  }

  Scheduler& scheduler_;
  detail::ChannelCore<Time>& ticks_;
  const Duration period_;
};

}  // namespace

Task<Receiver<Time>> ticker(Duration period) {
  if (period <= Duration(0))
    co_return Error(Code::invalid_argument, "ticker", "the period has to be longer than nothing");
  Scheduler& scheduler = co_await current_scheduler();
  auto* core = new detail::ChannelCore<Time>(kPendingTicksMax);
  Receiver<Time> rx(core);
  core->attach(std::make_unique<TickSource>(scheduler, *core, period));
  co_return rx;
}

}  // namespace tubing
