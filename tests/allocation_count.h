// Counts what the whole test binary allocates by operator new.
#pragma once

#include <cstddef>

namespace tubing::test {

/// How often operator new ran in this process. A binary that asks lists allocation_count.cpp among
/// its sources, which puts counting operators in the place of the standard ones.
/// Threads: any; the count is of all threads.
std::size_t allocations();

}  // namespace tubing::test
