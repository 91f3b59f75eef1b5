// Traffic: the exchanges between two processes that are measured. All values are checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "two_processes.h"

namespace tubing::bench {

/// A send and the answer's receive of a 64-byte struct, one after the other.
/// Returns: microseconds for each.
double round_trip_us(const Settings& settings);

/// Requests over one open channel, `outstanding` of them at a time; each is a 64-byte struct and
/// its answer another. Returns: answers a second.
double requests_per_s(const Settings& settings, std::uint32_t outstanding);

/// 64-byte structs, one `send` each, one way. Returns: values a second.
double structs_per_s(const Settings& settings);

/// Raw values of `bytes` each, one way. Returns: values a second.
double raw_per_s(const Settings& settings, std::size_t bytes);

/// 64-byte structs, one way, over `channels` of one session at once, each with tasks of its own at
/// both ends. Returns: values a second in all.
double channels_per_s(const Settings& settings, std::uint32_t channels);

}  // namespace tubing::bench
