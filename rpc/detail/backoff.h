// Backoff: how long a peer that was dialled in vain is left alone.
#pragma once

#include <algorithm>
#include <map>
#include <string>

#include "tubing/channel/base/prng.h"
#include "tubing/rpc/node_limits.h"

namespace tubing::rpc {

/// The failures of each dialled peer. The wait doubles with every failure in a row, up to
/// `backoff_max`; of it between a half and the whole is drawn, so that many who lost one server do
/// not come back at once. A success forgets them, and so does as long a time again without a try.
///
/// Invariant: it remembers at most `dials_max` peers; beyond, who may be dialled first is
/// forgotten.
class Backoff {
 public:
  Backoff(const NodeLimits& limits, Prng& prng) : limits_(limits), prng_(prng) {}

  /// When the peer may be dialled again: in the past where it may be now.
  Time not_before(const std::string& peer, Time now) const {
    const auto found = failures_.find(peer);
    return found == failures_.end() ? now : found->second.not_before;
  }

  void on_failure(const std::string& peer, Time now) {
    forget_old(now);
    Failure& failure = failures_[peer];
    failure.wait = failure.wait == Duration::zero()
                       ? limits_.backoff_min
                       : std::min(2 * failure.wait, limits_.backoff_max);
    const auto half = static_cast<std::uint64_t>(failure.wait.count()) / 2;
    failure.not_before = now + Duration(static_cast<std::int64_t>(half + prng_.below(half + 1)));
    if (failures_.size() > limits_.dials_max) forget_earliest();
  }

  void on_success(const std::string& peer) { failures_.erase(peer); }

 private:
  struct Failure {
    Duration wait{};
    Time not_before;
  };

  void forget_old(Time now) {
    std::erase_if(failures_, [&](const auto& entry) {
      return now > entry.second.not_before + limits_.backoff_max;
    });
  }
  void forget_earliest() {
    failures_.erase(std::ranges::min_element(
        failures_, {}, [](const auto& entry) { return entry.second.not_before; }));
  }

  const NodeLimits& limits_;
  Prng& prng_;
  std::map<std::string, Failure> failures_;
};

}  // namespace tubing::rpc
