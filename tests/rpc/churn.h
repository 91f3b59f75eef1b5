// Churn: real processes whose sessions with one server come, go and are killed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tubing::test {

struct ChurnSpec {
  int seconds = 3;
  int warm_up_seconds =
      1;                   ///< Before, so that what is made once, or kept for reuse, has been made.
  int processes = 4;       ///< Clients at a time; each lives for up to two seconds.
  int sessions_each = 25;  ///< Of one client, each over a node of its own.
};

/// What the server's process holds while no client lives.
struct Holdings {
  std::size_t sessions = 0;  ///< Half-open and ending ones included.
  std::size_t strands = 0;
  std::size_t descriptors = 0;
  std::uint64_t resident_bytes = 0;
};

struct ChurnResult {
  Holdings before;  ///< After the warm-up.
  Holdings after;
  std::uint64_t sessions_seen = 0;  ///< That came up at the server, in all.
  std::uint64_t channels_seen = 0;  ///< Whose handler began.
};

/// Runs a server in this process and clients in others. A failure of the set-up ends the program.
ChurnResult run_churn(const ChurnSpec& spec);

}  // namespace tubing::test
