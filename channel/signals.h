// signals(): a channel of the signals that the process gets, as Go's signal.Notify.
#pragma once

#include <concepts>
#include <csignal>
#include <vector>

#include "tubing/channel/channel.h"
#include "tubing/channel/task.h"

namespace tubing {

/// How many signals wait to be received; while as many wait, further ones are dropped.
inline constexpr std::size_t kPendingSignalsMax = 16;

/// The same as `signals(SIGINT, SIGTERM)` for a list.
Task<Receiver<int>> signals(std::vector<int> numbers);

/// `Receiver<int> stop = co_await ok(signals(SIGINT, SIGTERM));` yields the number of each of these
/// signals that the process gets from now on, as long as a handle of the receiver lives. It never
/// closes by itself. Drop it after the first signal, so that a
/// second one has its usual effect. While a handle lives, a program whose tasks all wait is not
/// called asleep: the signal may come.
///
/// Errors: invalid_argument for a signal that no program may handle, such as SIGKILL.
template <std::same_as<int>... Numbers>
  requires(sizeof...(Numbers) > 0)
Task<Receiver<int>> signals(Numbers... numbers) {
  return signals(std::vector<int>{numbers...});
}

}  // namespace tubing
