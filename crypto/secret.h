// Secret: key material in memory that is locked, wiped when left, and has no way to be printed.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/base/bytes.h"

namespace tubing::crypto {

namespace detail {

/// Bytes that start as zero, are kept out of swap and core files, and share their pages with other
/// secrets alone. A machine without memory for a key cannot go on: that ends the process. One whose
/// RLIMIT_MEMLOCK is used up goes on with pages that may be swapped.
///
/// Threads: any.
std::byte* allocate_secret(std::size_t size);
/// Wipes and gives back what allocate_secret() returned; null is allowed.
void free_secret(std::byte* bytes) noexcept;

}  // namespace detail

/// Overwrites `bytes` with zeros, in a way that no compiler leaves out.
void wipe(MutableBytes bytes);

/// N bytes of scratch on the stack, for secrets that pass through a function: wiped when it leaves.
template <std::size_t N>
class Scratch {
 public:
  Scratch() = default;
  ~Scratch() { wipe(bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  ByteView view() const { return bytes_; }
  MutableBytes bytes() { return bytes_; }

 private:
  std::array<std::byte, N> bytes_{};
};

/// Compares in a time that depends on the sizes alone.
bool equal_in_constant_time(ByteView a, ByteView b);

/// A fixed array of N secret bytes, zero at first. Each takes a slot of the next power of two, 32
/// bytes at least, in pages that hold secrets alone, locked where RLIMIT_MEMLOCK allows: for keys
/// that live long, not for a value per message.
///
/// Owns: its bytes; movable, and copied only by the name clone(). It cannot be printed or compared
/// with ==. A moved-from Secret is empty: assign to it or destroy it.
template <std::size_t N>
class [[nodiscard]] Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() : bytes_(detail::allocate_secret(N)) {}
  /// Requires: `bytes` has N bytes. The caller wipes its own copy.
  explicit Secret(ByteView bytes) : Secret() {
    TUBING_ASSERT(bytes.size() == N, bytes.size(), N);
    std::memcpy(bytes_, bytes.data(), N);
  }
  ~Secret() { detail::free_secret(bytes_); }

  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other)
      detail::free_secret(std::exchange(bytes_, std::exchange(other.bytes_, nullptr)));
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  Secret clone() const { return Secret(view()); }

  /// Borrowed until the Secret moves or dies. Requires: not moved from.
  ByteView view() const {
    TUBING_ASSERT(bytes_ != nullptr);
    return {bytes_, N};
  }
  MutableBytes bytes() {
    TUBING_ASSERT(bytes_ != nullptr);
    return {bytes_, N};
  }

  void wipe() {
    if (bytes_ != nullptr) crypto::wipe({bytes_, N});
  }
  bool equals(const Secret& other) const { return equal_in_constant_time(view(), other.view()); }

 private:
  std::byte* bytes_;
};

}  // namespace tubing::crypto
