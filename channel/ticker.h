// ticker(): a channel of ticks at even distances, as Go's time.NewTicker.
#pragma once

#include "tubing/channel/channel.h"
#include "tubing/channel/task.h"

namespace tubing {

/// How many ticks wait for a receiver; while as many wait, further ones are dropped.
inline constexpr std::size_t kPendingTicksMax = 1;

/// `Receiver<Time> ticks = co_await ok(ticker(100ms));` yields the time at which each tick was due:
/// one period from now, two, and so on, for as long as a handle of the receiver lives. Slowness
/// shifts no later tick: one who comes late finds one tick waiting, the others were dropped. It is
/// a receiver like any other: an arm of select, a member of a FanIn.
///
/// Errors: invalid_argument for a period that is not positive.
Task<Receiver<Time>> ticker(Duration period);

}  // namespace tubing
