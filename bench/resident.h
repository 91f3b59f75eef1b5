// Resident memory of this process.
#pragma once

#include <cstdint>

namespace tubing::bench {

/// What lies in memory now, after the allocator gave back what it can.
std::uint64_t resident_bytes();

}  // namespace tubing::bench
