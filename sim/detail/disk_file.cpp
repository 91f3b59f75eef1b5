#include "tubing/sim/detail/disk_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::sim::detail {

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes bytes;
  for (const Bytes& part : parts) append(bytes, part);
  return bytes;
}

void for_each_sector(std::uint64_t offset, ByteView bytes,
                     const std::function<void(std::uint64_t, ByteView)>& visit) {
  while (!bytes.empty()) {
    const std::size_t room = channel::kSectorBytes - offset % channel::kSectorBytes;
    const ByteView part = bytes.first(std::min(bytes.size(), room));
    visit(offset, part);
    offset += part.size();
    bytes = bytes.subspan(part.size());
  }
}

Bytes DiskFile::read(std::uint64_t offset, std::size_t length) const {
  if (offset >= size_) return {};
  Bytes out(std::min<std::uint64_t>(length, size_ - offset));
  if (cached_.pages() == 0 && size_ <= stored_seen_) {
    stored_.read(offset, out);
    return out;
  }
  std::array<std::byte, kPageBytes> page;
  for (std::size_t done = 0; done < out.size();) {
    const std::uint64_t at = offset + done;
    const std::size_t count =
        std::min<std::size_t>(out.size() - done, kPageBytes - at % kPageBytes);
    read_page(at / kPageBytes, page);
    std::copy_n(page.begin() + static_cast<std::ptrdiff_t>(at % kPageBytes), count,
                out.begin() + static_cast<std::ptrdiff_t>(done));
    done += count;
  }
  return out;
}

void DiskFile::read_page(std::uint64_t index, MutableBytes out) const {
  const std::uint64_t begin = index * kPageBytes;
  if (cached_.has_page(index)) return cached_.read(begin, out);
  stored_.read(begin, out);
  if (stored_seen_ >= begin + kPageBytes) return;
  const std::uint64_t seen = stored_seen_ > begin ? stored_seen_ - begin : 0;
  std::ranges::fill(out.subspan(seen), std::byte{0});
}

void DiskFile::change(FileChange change) {
  apply_to_cache(change);
  unsynced_bytes_ += change.bytes.size();
  unsynced_.push_back(std::move(change));
}

void DiskFile::apply_to_cache(const FileChange& change) {
  if (change.kind != FileChange::Kind::write) {
    if (change.kind == FileChange::Kind::grow && change.size <= size_) return;
    if (change.size < size_) {
      stored_seen_ = std::min(stored_seen_, change.size);
      cached_.resize(change.size);
    }
    size_ = change.size;
    return;
  }
  if (change.bytes.empty()) return;
  const std::uint64_t end = change.offset + change.bytes.size();
  std::array<std::byte, kPageBytes> page;
  for (const std::uint64_t at : {change.offset, end - 1}) {
    const std::uint64_t index = at / kPageBytes;
    if (cached_.has_page(index)) continue;
    read_page(index, page);
    cached_.write(index * kPageBytes, page);
  }
  cached_.write(change.offset, change.bytes);
  size_ = std::max(size_, end);
}

FileChange DiskFile::take_oldest() {
  FileChange oldest = std::move(unsynced_.front());
  unsynced_.pop_front();
  unsynced_bytes_ -= oldest.bytes.size();
  return oldest;
}

void DiskFile::store(const FileChange& change) {
  switch (change.kind) {
    case FileChange::Kind::write: return stored_.write(change.offset, change.bytes);
    case FileChange::Kind::resize: return stored_.resize(change.size);
    case FileChange::Kind::grow: return store_size(change.size);
  }
}

void DiskFile::store_size(std::uint64_t size) {
  if (size > stored_.size()) stored_.resize(size);
}

void DiskFile::flip(std::uint64_t offset, std::byte mask) {
  TUBING_ASSERT(offset < stored_.size(), offset, stored_.size());
  std::byte byte{};
  stored_.read(offset, {&byte, 1});
  byte ^= mask;
  stored_.write(offset, {&byte, 1});
}

void DiskFile::drop_cache() {
  cached_.clear();
  stored_seen_ = ~std::uint64_t{0};
  size_ = stored_.size();
  for (const FileChange& change : unsynced_) apply_to_cache(change);
}

void DiskFile::lose_unsynced() {
  unsynced_.clear();
  unsynced_bytes_ = 0;
  drop_cache();
}

}  // namespace tubing::sim::detail
