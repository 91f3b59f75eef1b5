#include "tubing/sim/detail/configuration_set.h"

#include <algorithm>

namespace tubing::sim::detail {
namespace {

constexpr std::size_t kBucketsMin = 64;

}  // namespace

bool ConfigurationSet::insert(const std::uint64_t* configuration) {
  std::uint32_t* link = &heads_[hash(configuration) & (heads_.size() - 1)];
  while (*link != kEnd) {
    const std::uint32_t at = *link;
    const std::uint64_t* there = (*this)[at];
    ++comparisons_;
    if (same_but_for_unknown(there, configuration)) {
      if (uses_subset(there, configuration)) return false;
      if (uses_subset(configuration, there)) {
        *link = next_[at];
        next_[at] = kLeft;
        --alive_;
        continue;
      }
    }
    link = &next_[at];
  }
  *link = static_cast<std::uint32_t>(next_.size());
  next_.push_back(kEnd);
  words_.insert(words_.end(), configuration, configuration + shape_.words());
  ++alive_;
  if (next_.size() > heads_.size()) grow();
  return true;
}

void ConfigurationSet::clear() {
  // A set that was large once would cost its buckets each time.
  if (heads_.size() > kBucketsMin && heads_.size() > 8 * next_.size()) heads_.clear();
  heads_.resize(std::max(heads_.size(), kBucketsMin));
  std::ranges::fill(heads_, kEnd);
  words_.clear();
  next_.clear();
  alive_ = 0;
}

bool ConfigurationSet::same_but_for_unknown(const std::uint64_t* one,
                                            const std::uint64_t* other) const {
  return one[0] == other[0] && std::equal(one + shape_.pending_begin(), one + shape_.words(),
                                          other + shape_.pending_begin());
}

bool ConfigurationSet::uses_subset(const std::uint64_t* fewer, const std::uint64_t* more) const {
  for (std::size_t i = 1; i < shape_.pending_begin(); ++i)
    if ((fewer[i] & ~more[i]) != 0) return false;
  return true;
}

void ConfigurationSet::grow() {
  heads_.assign(heads_.size() * 2, kEnd);
  for (std::size_t at = 0; at < next_.size(); ++at) {
    if (next_[at] == kLeft) continue;
    std::uint32_t& head = heads_[hash((*this)[at]) & (heads_.size() - 1)];
    next_[at] = head;
    head = static_cast<std::uint32_t>(at);
  }
}

}  // namespace tubing::sim::detail
