// ByteFaults: everything that may befall byte streams and those who hold them, at random.
#pragma once

#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

/// How good the network, the hosts' TCP, and the processes' pace are in a seed.
WorldOptions draw_byte_world(Prng& prng);

/// Orders one fault after the other, each of which ends after a while. Which kinds of faults there
/// are at all, how often and how hard they strike is drawn first.
///
/// Requires: the World's hosts are there when it starts, and lives as long as the World runs.
/// Threads: one.
class ByteFaults {
 public:
  ByteFaults(World& world, Prng prng);

  /// Faults strike until then; all is healed at that moment, and what is down starts.
  void run_until(Time end);

 private:
  enum class Kind : std::uint8_t {
    cut,
    isolate,
    partition,
    lossy_link,
    lossy_card,
    corrupt,
    reset,
    hold,
    slow,
    refuse,
    crash,
    power,
    pause,
    count,
  };
  void strike(Time end);
  void strike_link(Kind kind, HostId from, HostId to);
  void strike_host(Kind kind, HostId host);
  void heal();
  /// Changes the faults of one link, and takes the change back after a while.
  void set_link(HostId from, HostId to, const LinkFaults& faults);
  void after_a_while(EventQueue::Callback callback);
  void start(Host& host);
  Duration draw(Duration min, Duration max);
  std::uint32_t draw_ppm(std::uint32_t max) {
    return static_cast<std::uint32_t>(1 + prng_.below(max));
  }

  World& world_;
  Prng prng_;
  std::vector<Kind> kinds_;
  Duration pause_max_;  ///< Between two faults.
  Duration span_max_;   ///< Of one.
};

}  // namespace tubing::sim
