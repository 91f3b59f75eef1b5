#include "tubing/sim/streams.h"

#include <initializer_list>

#include "tubing/sim/running_hash.h"

namespace tubing::sim {

Prng Streams::of(std::uint64_t a, std::uint64_t b, std::uint64_t c) const {
  RunningHash hash;
  for (const std::uint64_t word : {root_, a, b, c}) hash.add(word);
  return Prng(hash.high());
}

Prng Streams::of(std::string_view name, std::uint64_t occurrence) const {
  RunningHash hash;
  hash.add(root_);
  hash.add(name);
  hash.add(occurrence);
  return Prng(hash.high());
}

}  // namespace tubing::sim
