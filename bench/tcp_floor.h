// The floor: what the kernel's TCP costs without us.
#pragma once

#include <cstddef>

namespace tubing::bench {

/// A round trip of `bytes` between two blocking threads over loopback with TCP_NODELAY.
/// Returns: microseconds for each of `count`.
double tcp_round_trip_us(int count, std::size_t bytes);

}  // namespace tubing::bench
