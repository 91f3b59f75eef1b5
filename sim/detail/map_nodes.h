// MapNodes: ordered maps as numbers, so that to copy, compare and hash one costs nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tubing::sim::detail {

/// What a key holds.
struct MapEntry {
  std::uint32_t value = 0;  ///< 0 where the key is absent.
  bool exact = true;        ///< Whether `version` is the version, or the least that it can be.
  std::uint64_t version = 0;
  friend bool operator==(const MapEntry&, const MapEntry&) = default;
};

/// Treaps whose priorities follow from the keys and whose nodes are kept once: maps with the same
/// entries are the same number, however they came to be. Nodes never change and are never freed; a
/// change of a map with n keys adds O(log n) of 40 bytes.
class MapNodes {
 public:
  using Map = std::uint32_t;
  static constexpr Map kEmpty = 0;

  MapNodes() : nodes_(1) {}

  std::optional<MapEntry> find(Map map, std::uint32_t key) const;
  Map with(Map map, std::uint32_t key, const MapEntry& entry);
  Map without(Map map, std::uint32_t key);
  /// The memory that all maps take.
  std::uint64_t bytes() const {
    return nodes_.capacity() * sizeof(Node) + slots_.capacity() * sizeof(std::uint32_t);
  }

  /// Shows entries in the order of their keys, from the first that is not below `from`, or in the
  /// other direction from the last that is below it, while `visit(key, entry)` returns true.
  template <class F>
  bool ascend(Map map, std::uint32_t from, F visit) const {
    if (map == kEmpty) return true;
    const Node node = nodes_[map];
    if (node.key < from) return ascend(node.right, from, visit);
    return ascend(node.left, from, visit) && visit(node.key, node.entry) &&
           ascend(node.right, from, visit);
  }
  template <class F>
  bool descend(Map map, std::uint32_t from, F visit) const {
    if (map == kEmpty) return true;
    const Node node = nodes_[map];
    if (node.key >= from) return descend(node.left, from, visit);
    return descend(node.right, from, visit) && visit(node.key, node.entry) &&
           descend(node.left, from, visit);
  }

 private:
  struct Node {
    MapEntry entry;
    std::uint32_t key = 0;
    Map left = kEmpty;
    Map right = kEmpty;
    friend bool operator==(const Node&, const Node&) = default;
  };

  /// The number of a node, new or known.
  Map make(const Node& node);
  Map make(Node node, Map left, Map right);
  Map merged(Map left, Map right);
  /// What is below `key`, and what is above it.
  std::pair<Map, Map> split(Map map, std::uint32_t key);
  std::size_t slot_of(const Node& node) const;
  void grow();

  std::vector<Node> nodes_;  ///< The first stands for the empty map.
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(64);  ///< By hash; 0: free.
};

}  // namespace tubing::sim::detail
