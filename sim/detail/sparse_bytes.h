// SparseBytes: a file's bytes, of which only pages that hold something take memory.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "tubing/channel/base/bytes.h"

namespace tubing::sim::detail {

inline constexpr std::uint64_t kPageBytes = 4096;

/// Bytes by offset; what was never written is zero.
class SparseBytes {
 public:
  std::uint64_t size() const { return size_; }
  /// Fills `out` with the bytes from `offset` on; zeros behind the size.
  void read(std::uint64_t offset, MutableBytes out) const;
  /// Grows as needed.
  void write(std::uint64_t offset, ByteView bytes);
  /// What is cut off is gone: it reads as zeros when it grows again.
  void resize(std::uint64_t size);
  void clear() { pages_.clear(), size_ = 0; }

  bool has_page(std::uint64_t index) const { return pages_.contains(index); }
  std::size_t pages() const { return pages_.size(); }

 private:
  /// Null: all zeros.
  using Page = std::unique_ptr<std::array<std::byte, kPageBytes>>;

  std::map<std::uint64_t, Page> pages_;
  std::uint64_t size_ = 0;
};

/// Which pages of a file have room on the disk: ranges of page numbers.
class PageSet {
 public:
  /// How many of [first, end) are not in it.
  std::uint64_t missing(std::uint64_t first, std::uint64_t end) const;
  void add(std::uint64_t first, std::uint64_t end);
  /// Drops all from `first` on.
  void cut(std::uint64_t first);
  std::uint64_t count() const { return count_; }

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  ///< First page to end, apart from each other.
  std::uint64_t count_ = 0;
};

}  // namespace tubing::sim::detail
