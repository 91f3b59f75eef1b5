#include "tubing/crypto/detail/secret_arena.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tubing/crypto/cipher.h"
#include "tubing/crypto/secret.h"

namespace tubing::crypto::detail {
namespace {

// The sanitizers turn mlock() into nothing.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kLocks = false;
#else
constexpr bool kLocks = true;
#endif

bool all_zero(const std::byte* bytes, std::size_t size) {
  return std::ranges::all_of(ByteView(bytes, size), [](std::byte b) { return b == std::byte{0}; });
}

/// Whether the kernel can read the byte, which it tells without a signal.
bool readable(const std::byte* at) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const bool read = ::syscall(SYS_write, pipe[1], at, 1) == 1;  // No sanitizer looks at it.
  const bool refused = !read && errno == EFAULT;
  ::close(pipe[0]);
  ::close(pipe[1]);
  CHECK(read != refused);
  return read;
}

/// The flags that the kernel shows of the mapping that holds `at`, as " lo dd " and others.
std::string mapping_flags(const std::byte* at) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(at);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2)
      inside = begin <= wanted && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST_CASE("a slot starts as zeros also when it was used before") {
  SecretArena arena;
  std::byte* const kept = arena.allocate(32);
  std::byte* const first = arena.allocate(20);
  CHECK(all_zero(first, 20));
  std::fill_n(first, 20, std::byte{7});
  arena.free(first);
  std::byte* const again = arena.allocate(32);
  CHECK(again == first);
  CHECK(all_zero(again, 32));
  arena.free(again);
  arena.free(kept);
}

TEST_CASE("secrets share pages with other secrets alone and guards lie around them") {
  SecretArena arena;
  std::byte* const slot = arena.allocate(64);
  CHECK(readable(slot));
  CHECK(readable(slot + kSlabBytes - 1));
  CHECK_FALSE(readable(slot - 1));
  CHECK_FALSE(readable(slot + kSlabBytes));
  arena.free(slot);
}

TEST_CASE("secrets are left out of core files and kept in memory where the limit allows") {
  const Secret<32> secret;
  const std::string flags = mapping_flags(secret.view().data());
  CAPTURE(flags);
  CHECK(flags.contains(" dd "));
  ::rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  if (kLocks && limit.rlim_cur >= (1U << 20)) CHECK(flags.contains(" lo "));
}

TEST_CASE("secrets beyond the limit of locked memory are handed out all the same") {
  ::rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &before) == 0);
  ::rlimit none = before;
  none.rlim_cur = 0;
  REQUIRE(::setrlimit(RLIMIT_MEMLOCK, &none) == 0);
  SecretArena arena;
  std::byte* const slot = arena.allocate(32);
  CHECK(all_zero(slot, 32));
  CHECK(mapping_flags(slot).contains(" dd "));
  arena.free(slot);
  REQUIRE(::setrlimit(RLIMIT_MEMLOCK, &before) == 0);
}

TEST_CASE("the keys of a hundred thousand sessions take 64 bytes each and give it back") {
  SecretArena arena;
  constexpr std::size_t kKeys = 200'000;
  std::vector<std::byte*> keys(kKeys);
  for (std::byte*& key : keys) key = arena.allocate(kCipherKeyBytes);
  CHECK(arena.slabs() == (kKeys * kCipherKeyBytes + kSlabBytes - 1) / kSlabBytes);
  CHECK(std::set<std::byte*>(keys.begin(), keys.end()).size() == kKeys);
  for (std::byte* key : keys) arena.free(key);
  CHECK(arena.slabs() == 1);
}

TEST_CASE("secrets of every size lie apart from each other and in their alignment") {
  SecretArena arena;
  std::vector<std::pair<std::byte*, std::size_t>> slots;
  for (const std::size_t size : {1, 32, 33, 64, 100, 512, 1024, 4096, 4097, 40'000}) {
    CAPTURE(size);
    for (int i = 0; i < 3; ++i) {
      std::byte* const slot = arena.allocate(size);
      CHECK(reinterpret_cast<std::uintptr_t>(slot) % 16 == 0);
      CHECK(all_zero(slot, size));
      std::fill_n(slot, size, static_cast<std::byte>(slots.size() + 1));
      slots.emplace_back(slot, size);
    }
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto [slot, size] = slots[i];
    CHECK(std::count(slot, slot + size, static_cast<std::byte>(i + 1)) == long(size));
    arena.free(slot);
  }
}

TEST_CASE("threads make and drop secrets at the same time") {
  SecretArena arena;
  std::vector<std::thread> threads;
  std::vector<int> bad(4);
  for (std::size_t t = 0; t < bad.size(); ++t)
    threads.emplace_back([&arena, &bad, t] {
      std::vector<std::byte*> mine;
      for (int i = 0; i < 5'000; ++i) {
        std::byte* const slot = arena.allocate(32);
        if (!all_zero(slot, 32)) ++bad[t];
        std::fill_n(slot, 32, static_cast<std::byte>(t + 1));
        mine.push_back(slot);
        if (i % 3 == 2) {
          if (mine.front()[31] != static_cast<std::byte>(t + 1)) ++bad[t];
          arena.free(mine.front());
          mine.erase(mine.begin());
        }
      }
      for (std::byte* slot : mine) arena.free(slot);
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(bad == std::vector<int>(4));
  CHECK(arena.slabs() == 1);
}

}  // namespace
}  // namespace tubing::crypto::detail
