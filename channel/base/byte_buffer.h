// ByteBuffer: bytes written at the back and taken from the front, in memory that is used again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/base/bytes.h"

namespace tubing {

/// A queue of bytes in one contiguous block. Growing doubles the block and fills nothing with
/// zeros; taking from the front moves bytes only when as many have been taken as remain. Both cost
/// constant time a byte. It has no bound of its own: whoever writes keeps one.
///
/// Owns: its block. Any call that is not const ends the views handed out before.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  explicit ByteBuffer(std::size_t capacity) { grow(capacity); }
  ByteBuffer(ByteBuffer&& other) noexcept { swap(other); }
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    ByteBuffer(std::move(other)).swap(*this);
    return *this;
  }

  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  /// The size of the block; what was taken from the front still counts until it is reused.
  std::size_t capacity() const { return capacity_; }
  ByteView view() const { return {block_.get() + begin_, size()}; }
  MutableBytes mutable_view() { return {block_.get() + begin_, size()}; }

  /// Requires: `bytes` does not lie in this buffer.
  void append(ByteView bytes) {
    if (bytes.empty()) return;
    std::memcpy(reserve(bytes.size()).data(), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void append(std::byte b) {
    reserve(1).front() = b;
    ++end_;
  }

  /// Makes room behind the content. Returns: all of that room, uninitialised, at least `room` long;
  /// what is written there joins the content by `commit`.
  MutableBytes reserve(std::size_t room) {
    if (capacity_ - end_ < room) [[unlikely]]
      make_room(room);
    return {block_.get() + end_, capacity_ - end_};
  }
  /// Requires: the first `written` bytes of the room have been written.
  void commit(std::size_t written) {
    TUBING_ASSERT(written <= capacity_ - end_, written, capacity_ - end_);
    end_ += written;
  }

  /// Takes bytes from the front. Requires: count <= size().
  void consume(std::size_t count) {
    TUBING_ASSERT(count <= size(), count, size());
    begin_ += count;
    if (begin_ == end_) clear();
  }
  /// Drops bytes from the back. Requires: new_size <= size().
  void truncate(std::size_t new_size) {
    TUBING_ASSERT(new_size <= size(), new_size, size());
    end_ = begin_ + new_size;
  }
  /// Forgets the content and keeps the block.
  void clear() { begin_ = end_ = 0; }

  void swap(ByteBuffer& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
  }

 private:
  static constexpr std::size_t kFirstBlockBytes = 256;

  [[gnu::noinline]] void make_room(std::size_t room) {
    const std::size_t needed = size() + room;
    if (needed <= capacity_ && begin_ >= size()) {
      std::memcpy(block_.get(), block_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    } else {
      grow(std::max({needed, 2 * capacity_, kFirstBlockBytes}));
    }
  }

  void grow(std::size_t capacity) {
    auto block = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (!empty()) std::memcpy(block.get(), block_.get() + begin_, size());
    block_ = std::move(block);
    capacity_ = capacity;
    end_ -= begin_;
    begin_ = 0;
  }

  std::unique_ptr<std::byte[]> block_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;  ///< Where the content starts in the block; begin_ <= end_ <= capacity_.
  std::size_t end_ = 0;
};

}  // namespace tubing
