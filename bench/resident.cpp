#include "resident.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace tubing::bench {

std::uint64_t resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace tubing::bench
