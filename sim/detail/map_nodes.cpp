#include "tubing/sim/detail/map_nodes.h"

#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::sim::detail {
namespace {

/// Source: splitmix64's second half (Stafford's variant 13), a bijection.
std::uint64_t mixed(std::uint64_t word) {
  word += 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

bool is_above(std::uint32_t key, std::uint32_t other) { return mixed(key) > mixed(other); }

}  // namespace

std::optional<MapEntry> MapNodes::find(Map map, std::uint32_t key) const {
  while (map != kEmpty && nodes_[map].key != key)
    map = key < nodes_[map].key ? nodes_[map].left : nodes_[map].right;
  return map == kEmpty ? std::nullopt : std::optional(nodes_[map].entry);
}

MapNodes::Map MapNodes::with(Map map, std::uint32_t key, const MapEntry& entry) {
  const Node node = nodes_[map];
  if (map == kEmpty || (node.key != key && is_above(key, node.key))) {
    const auto [left, right] = split(map, key);
    return make({entry, key, left, right});
  }
  if (node.key == key) return make({entry, key, node.left, node.right});
  return key < node.key ? make(node, with(node.left, key, entry), node.right)
                        : make(node, node.left, with(node.right, key, entry));
}

MapNodes::Map MapNodes::without(Map map, std::uint32_t key) {
  if (map == kEmpty) return kEmpty;
  const Node node = nodes_[map];
  if (node.key == key) return merged(node.left, node.right);
  return key < node.key ? make(node, without(node.left, key), node.right)
                        : make(node, node.left, without(node.right, key));
}

MapNodes::Map MapNodes::merged(Map left, Map right) {
  if (left == kEmpty || right == kEmpty) return left + right;
  const Node one = nodes_[left];
  const Node other = nodes_[right];
  return is_above(one.key, other.key) ? make(one, one.left, merged(one.right, right))
                                      : make(other, merged(left, other.left), other.right);
}

std::pair<MapNodes::Map, MapNodes::Map> MapNodes::split(Map map, std::uint32_t key) {
  if (map == kEmpty) return {kEmpty, kEmpty};
  const Node node = nodes_[map];
  if (key < node.key) {
    const auto [left, right] = split(node.left, key);
    return {left, make(node, right, node.right)};
  }
  const auto [left, right] = split(node.right, key);
  return {make(node, node.left, left), right};
}

MapNodes::Map MapNodes::make(Node node, Map left, Map right) {
  node.left = left;
  node.right = right;
  return make(node);
}

MapNodes::Map MapNodes::make(const Node& node) {
  const std::size_t slot = slot_of(node);
  if (slots_[slot] != 0) return slots_[slot];
  TUBING_ASSERT(nodes_.size() < UINT32_MAX);
  nodes_.push_back(node);
  const auto number = static_cast<Map>(nodes_.size() - 1);
  slots_[slot] = number;
  if (nodes_.size() * 2 > slots_.size()) grow();
  return number;
}

std::size_t MapNodes::slot_of(const Node& node) const {
  std::uint64_t hash = mixed(node.key);
  hash = mixed(hash ^ node.entry.value);
  hash = mixed(hash ^ (node.entry.version * 2 + (node.entry.exact ? 1 : 0)));
  hash = mixed(hash ^ ((std::uint64_t{node.left} << 32) | node.right));
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0 && !(nodes_[slots_[slot]] == node)) slot = (slot + 1) & mask;
  return slot;
}

void MapNodes::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (std::uint32_t number = 1; number < nodes_.size(); ++number)
    slots_[slot_of(nodes_[number])] = number;
}

}  // namespace tubing::sim::detail
