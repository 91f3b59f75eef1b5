#include "tubing/channel/alarm.h"

namespace tubing {

Alarm::Alarm(Scheduler& scheduler, std::function<void()> ring) : scheduler_(scheduler) {
  due_.ring = std::move(ring);
  due_.fire = [](detail::Timer& timer) { static_cast<Due&>(timer).ring(); };
}

void Alarm::set(Time when) {
  clear();
  scheduler_.timers().arm(due_, when);
}

}  // namespace tubing
