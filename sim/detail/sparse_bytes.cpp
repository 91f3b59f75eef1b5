#include "tubing/sim/detail/sparse_bytes.h"

#include <algorithm>

namespace tubing::sim::detail {
namespace {

/// Calls `visit(page, offset in it, part of bytes)` for each page that the span touches.
template <class Span, class F>
void for_each_page(std::uint64_t offset, Span bytes, F visit) {
  while (!bytes.empty()) {
    const std::uint64_t within = offset % kPageBytes;
    const std::size_t count = std::min<std::uint64_t>(bytes.size(), kPageBytes - within);
    visit(offset / kPageBytes, within, bytes.first(count));
    offset += count;
    bytes = bytes.subspan(count);
  }
}

bool is_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

void SparseBytes::read(std::uint64_t offset, MutableBytes out) const {
  for_each_page(offset, out, [&](std::uint64_t index, std::uint64_t within, MutableBytes part) {
    const auto found = pages_.find(index);
    if (found == pages_.end() || !found->second) {
      std::ranges::fill(part, std::byte{0});
    } else {
      std::copy_n(found->second->begin() + static_cast<std::ptrdiff_t>(within), part.size(),
                  part.begin());
    }
  });
}

void SparseBytes::write(std::uint64_t offset, ByteView bytes) {
  if (bytes.empty()) return;
  size_ = std::max(size_, offset + bytes.size());
  for_each_page(offset, bytes, [&](std::uint64_t index, std::uint64_t within, ByteView part) {
    Page& page = pages_[index];
    if (!page || part.size() == kPageBytes) {
      if (is_zero(part)) return page.reset();
      if (!page) page = std::make_unique<std::array<std::byte, kPageBytes>>();
    }
    std::ranges::copy(part, page->begin() + static_cast<std::ptrdiff_t>(within));
  });
}

void SparseBytes::resize(std::uint64_t size) {
  if (size < size_) {
    const std::uint64_t within = size % kPageBytes;
    pages_.erase(pages_.lower_bound((size + kPageBytes - 1) / kPageBytes), pages_.end());
    const auto last = pages_.find(size / kPageBytes);
    if (within > 0 && last != pages_.end() && last->second)
      std::fill(last->second->begin() + static_cast<std::ptrdiff_t>(within), last->second->end(),
                std::byte{0});
  }
  size_ = size;
}

std::uint64_t PageSet::missing(std::uint64_t first, std::uint64_t end) const {
  std::uint64_t there = 0;
  auto range = ranges_.upper_bound(first);
  if (range != ranges_.begin()) --range;
  for (; range != ranges_.end() && range->first < end; ++range) {
    const std::uint64_t from = std::max(first, range->first);
    const std::uint64_t to = std::min(end, range->second);
    if (from < to) there += to - from;
  }
  return end - first - there;
}

void PageSet::add(std::uint64_t first, std::uint64_t end) {
  if (first == end) return;
  count_ += missing(first, end);
  auto range = ranges_.upper_bound(first);
  if (range != ranges_.begin() && std::prev(range)->second >= first) --range;
  while (range != ranges_.end() && range->first <= end) {
    first = std::min(first, range->first);
    end = std::max(end, range->second);
    range = ranges_.erase(range);
  }
  ranges_.emplace(first, end);
}

void PageSet::cut(std::uint64_t first) {
  auto range = ranges_.upper_bound(first);
  if (range != ranges_.begin()) --range;
  while (range != ranges_.end()) {
    if (range->second <= first) {
      ++range;
      continue;
    }
    count_ -= range->second - std::max(first, range->first);
    range->second = std::max(std::min(first, range->second), range->first);
    range = range->second == range->first ? ranges_.erase(range) : std::next(range);
  }
}

}  // namespace tubing::sim::detail
