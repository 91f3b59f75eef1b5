// DiskFile: what a simulated disk holds of one file, and what is written to it and not yet stored.
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "tubing/channel/disk.h"
#include "tubing/sim/detail/sparse_bytes.h"

namespace tubing::sim::detail {

/// Numbers the changes of one disk, files' and folders', in the order in which they happened.
using ChangeId = std::uint64_t;

/// One change of a file that no sync has covered yet.
struct FileChange {
  enum class Kind : std::uint8_t {
    write,
    resize,  ///< To exactly `size`: cuts, or grows by zeros.
    grow,    ///< To at least `size`.
  };
  ChangeId id = 0;
  Kind kind = Kind::write;
  std::uint64_t offset = 0;
  Bytes bytes = {};
  std::uint64_t size = 0;
  bool misdirected = false;  ///< Where it should be stored nothing will be.
};

/// The parts of a write as one.
Bytes joined(const std::vector<Bytes>& parts);

/// Calls `visit(offset, part)` for each sector that `bytes` at `offset` touches.
void for_each_sector(std::uint64_t offset, ByteView bytes,
                     const std::function<void(std::uint64_t, ByteView)>& visit);

/// Two views of a file: what is stored, which a power loss leaves; and what is seen, which is the
/// stored bytes under the cached pages. Each change goes to the cache and waits in `unsynced`.
///
/// Invariant: the cache is what the unsynced changes make of the stored bytes; after a failed sync
/// it may also show what was never stored, until `drop_cache`.
class DiskFile {
 public:
  std::uint64_t size() const { return size_; }
  std::uint64_t stored_size() const { return stored_.size(); }
  Bytes read(std::uint64_t offset, std::size_t length) const;

  void change(FileChange change);
  const std::deque<FileChange>& unsynced() const { return unsynced_; }
  std::size_t unsynced_bytes() const { return unsynced_bytes_; }
  /// Takes the oldest change out. Requires: there is one.
  FileChange take_oldest();

  /// Stores all of a change, or a part of its bytes.
  void store(const FileChange& change);
  void store_bytes(std::uint64_t offset, ByteView bytes) { stored_.write(offset, bytes); }
  void store_size(std::uint64_t size);
  /// Flips bits of a stored byte. Requires: `offset` lies within stored_size().
  void flip(std::uint64_t offset, std::byte mask);

  /// What is seen is from now on what is stored and what the unsynced changes make of it.
  void drop_cache();
  /// The power is gone: what is stored is all there is.
  void lose_unsynced();

  PageSet& room() { return room_; }
  const PageSet& room() const { return room_; }

 private:
  void apply_to_cache(const FileChange& change);
  void read_page(std::uint64_t index, MutableBytes out) const;

  SparseBytes stored_;
  SparseBytes cached_;  ///< Whole pages, each in place of the stored one.
  std::uint64_t size_ = 0;
  /// Stored bytes from here on are not seen: the file was shorter meanwhile.
  std::uint64_t stored_seen_ = ~std::uint64_t{0};
  std::deque<FileChange> unsynced_;
  std::size_t unsynced_bytes_ = 0;
  PageSet room_;
};

}  // namespace tubing::sim::detail
