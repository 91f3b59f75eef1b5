// Sessions that come, go and are killed leave nothing behind at the server. Real processes.
#include "churn.h"

#include <doctest/doctest.h>

namespace {

using namespace tubing::test;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMemoryIsOurs = false;  // The sanitizer keeps what was freed.
#else
constexpr bool kMemoryIsOurs = true;
#endif
/// What an allocator may keep in half-filled pages.
constexpr std::uint64_t kSlackBytes = 4 << 20;

void check_nothing_is_left(const ChurnResult& result) {
  MESSAGE("sessions: ", result.sessions_seen, ", channels: ", result.channels_seen,
          ", resident before and after: ", result.before.resident_bytes, " and ",
          result.after.resident_bytes);
  CHECK(result.after.sessions == 0);
  CHECK(result.after.strands == result.before.strands);
  CHECK(result.after.descriptors == result.before.descriptors);
  if (kMemoryIsOurs)
    CHECK(result.after.resident_bytes <= result.before.resident_bytes + kSlackBytes);
}

}  // namespace

#ifdef TUBING_LONG_CHURN
TEST_CASE("five minutes of a thousand sessions that come, go and are killed leave nothing behind") {
  const ChurnResult result =
      run_churn({.seconds = 300, .warm_up_seconds = 30, .processes = 20, .sessions_each = 50});
  CHECK(result.sessions_seen > 20'000);
  check_nothing_is_left(result);
}
#else
TEST_CASE("a hundred sessions that come, go and are killed leave nothing behind") {
  const ChurnResult result = run_churn({});
  CHECK(result.sessions_seen > 100);
  CHECK(result.channels_seen > 100);
  check_nothing_is_left(result);
}
#endif
