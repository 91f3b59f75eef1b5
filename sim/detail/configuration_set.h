// ConfigurationSet: where a search for an order stands, each standing once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tubing::sim::detail {

/// How many words of a configuration say what. The first word is its state; then a bit for each
/// operation of unknown end, whether it was used; then a bit for each place of a pending operation,
/// whether it took effect already.
struct ConfigurationShape {
  std::size_t unknown_words = 0;
  std::size_t pending_words = 0;

  std::size_t words() const { return 1 + unknown_words + pending_words; }
  std::size_t pending_begin() const { return 1 + unknown_words; }
};

/// Configurations in the order in which they came, of which none dominates another: they differ in
/// more than that one used more of the operations of unknown end. Whoever used fewer can do all
/// that the other can.
///
/// Owns: its memory, which is kept for the next use.
class ConfigurationSet {
 public:
  explicit ConfigurationSet(ConfigurationShape shape) : shape_(shape) { clear(); }

  /// Requires: `configuration` has the shape's words, and does not lie in this set.
  /// Returns: false where one that is there dominates it. Those that it dominates leave.
  bool insert(const std::uint64_t* configuration);
  void clear();

  /// How often one was held against another, since it was made.
  std::uint64_t comparisons() const { return comparisons_; }
  /// How many came; some of them may have left again.
  std::size_t size() const { return next_.size(); }
  /// How many there are.
  std::size_t alive() const { return alive_; }
  bool is_alive(std::size_t at) const { return next_[at] != kLeft; }
  /// The memory that the set holds.
  std::uint64_t bytes() const {
    return words_.capacity() * sizeof(std::uint64_t) +
           (next_.capacity() + heads_.capacity()) * sizeof(std::uint32_t);
  }
  /// Valid until the next insert.
  const std::uint64_t* operator[](std::size_t at) const { return &words_[at * shape_.words()]; }

 private:
  static constexpr std::uint32_t kEnd = ~std::uint32_t{0};
  static constexpr std::uint32_t kLeft = kEnd - 1;

  std::uint64_t hash(const std::uint64_t* configuration) const;
  bool same_but_for_unknown(const std::uint64_t* one, const std::uint64_t* other) const;
  /// Whether each that `fewer` used, `more` used.
  bool uses_subset(const std::uint64_t* fewer, const std::uint64_t* more) const;
  void grow();

  ConfigurationShape shape_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> next_;   ///< Of each, the next one in its bucket.
  std::vector<std::uint32_t> heads_;  ///< Of the buckets, a power of two of them.
  std::size_t alive_ = 0;
  std::uint64_t comparisons_ = 0;
};

inline std::uint64_t ConfigurationSet::hash(const std::uint64_t* configuration) const {
  std::uint64_t mixed = configuration[0] * std::uint64_t{0x9e3779b97f4a7c15};
  for (std::size_t i = shape_.pending_begin(); i < shape_.words(); ++i) {
    mixed = (mixed ^ configuration[i]) * std::uint64_t{0xbf58476d1ce4e5b9};
    mixed ^= mixed >> 32;
  }
  return mixed ^ (mixed >> 29);
}

}  // namespace tubing::sim::detail
