#include "tubing/sim/detail/disk_tree.h"

#include <algorithm>
#include <set>

#include "tubing/channel/base/assert.h"

namespace tubing::sim::detail {

DiskTree::DiskTree() { wipe(); }

void DiskTree::wipe() {
  nodes_.clear();
  blocks_used_ = 0;
  nodes_[kRoot].holders = 1;
}

DiskNode* DiskTree::node(NodeId id) {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

const DiskNode* DiskTree::node(NodeId id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

DiskTree::Place DiskTree::find(std::string_view path) const {
  Place place{.code = Code::ok, .folder = kRoot, .name = {}, .node = kRoot};
  while (!path.empty()) {
    if (place.node == 0) return {.code = Code::not_found};
    if (!is_folder(place.node)) return {.code = Code::invalid_argument};
    const std::size_t end = path.find('/');
    place.folder = place.node;
    place.name = path.substr(0, end);
    const auto& names = node(place.folder)->folder.seen;
    const auto found = names.find(place.name);
    place.node = found == names.end() ? 0 : found->second;
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
  }
  return place;
}

std::string DiskTree::path_of(NodeId id) const { return path_below(kRoot, id); }

std::string DiskTree::told_path(NodeId id) const {
  std::string path = path_of(id);
  return path.empty() && id != kRoot ? "#" + std::to_string(id) : path;
}

std::string DiskTree::path_below(NodeId folder, NodeId id) const {
  for (const auto& [name, to] : node(folder)->folder.seen) {
    if (to == id) return name;
    if (!is_folder(to)) continue;
    const std::string below = path_below(to, id);
    if (!below.empty()) return name + "/" + below;
  }
  return {};
}

NodeId DiskTree::create(const Place& place, bool is_folder, ChangeId id) {
  const NodeId made = next_++;
  ++blocks_used_;
  DiskNode& node = nodes_[made];
  if (!is_folder) node.file = std::make_unique<DiskFile>();
  change(place.folder, {.id = id, .names = {{std::string(place.name), made}}, .nodes = {made}});
  return made;
}

Code DiskTree::rename(const Place& from, const Place& to, ChangeId id) {
  TUBING_ASSERT(from.node != 0 && from.folder == to.folder);
  if (from.node == to.node) return Code::ok;
  NameChange renamed{.id = id,
                     .names = {{std::string(from.name), 0}, {std::string(to.name), from.node}},
                     .nodes = {from.node}};
  if (to.node != 0) {
    if (is_folder(from.node) != is_folder(to.node)) return Code::invalid_argument;
    if (!node(to.node)->folder.seen.empty()) return Code::failed_precondition;
    renamed.nodes.push_back(to.node);
  }
  change(from.folder, std::move(renamed));
  return Code::ok;
}

Code DiskTree::remove(const Place& place, ChangeId id) {
  if (!node(place.node)->folder.seen.empty()) return Code::failed_precondition;
  change(place.folder, {.id = id, .names = {{std::string(place.name), 0}}, .nodes = {place.node}});
  return Code::ok;
}

void DiskTree::change(NodeId id, NameChange change) {
  DiskFolder& folder = node(id)->folder;
  // Held by the change until it is stored or lost: a name may go before.
  for (const NodeId touched : change.nodes) hold(touched);
  for (const auto& [name, to] : change.names) set(folder.seen, name, to);
  folder.unsynced.push_back(std::move(change));
}

void DiskTree::set(std::map<std::string, NodeId, std::less<>>& names, const std::string& name,
                   NodeId to) {
  if (to != 0) hold(to);
  const auto found = names.find(name);
  const NodeId before = found == names.end() ? 0 : found->second;
  if (to != 0)
    names[name] = to;
  else if (before != 0)
    names.erase(found);
  if (before != 0) release(before);
}

void DiskTree::store(DiskFolder& folder, const NameChange& change) {
  for (const auto& [name, to] : change.names) set(folder.stored, name, to);
}

void DiskTree::let_go(const NameChange& change) {
  for (const NodeId touched : change.nodes) release(touched);
}

void DiskTree::sync_folder(NodeId id, ChangeId covered) {
  DiskFolder& folder = node(id)->folder;
  while (!folder.unsynced.empty() && folder.unsynced.front().id <= covered) {
    const NameChange change = std::move(folder.unsynced.front());
    folder.unsynced.pop_front();
    store(folder, change);
    let_go(change);
  }
}

std::uint64_t DiskTree::lose_power(const std::function<bool(const std::string& path)>& survives) {
  std::uint64_t lost = 0;
  std::vector<NodeId> folders;
  for (const auto& [id, node] : nodes_)
    if (!node.file) folders.push_back(id);
  for (const NodeId id : folders) {
    if (!node(id)) continue;  // an earlier one held it
    hold(id);
    const std::string path = told_path(id) + "/";
    DiskFolder& folder = node(id)->folder;
    std::set<std::string> lost_names;
    std::set<NodeId> lost_nodes;
    const auto follows_a_lost_one = [&](const NameChange& change) {
      return std::ranges::any_of(change.names,
                                 [&](const auto& n) { return lost_names.contains(n.first); }) ||
             std::ranges::any_of(change.nodes, [&](NodeId n) { return lost_nodes.contains(n); });
    };
    while (!folder.unsynced.empty()) {
      const NameChange change = std::move(folder.unsynced.front());
      folder.unsynced.pop_front();
      if (survives(path + change.names.front().first) && !follows_a_lost_one(change)) {
        store(folder, change);
      } else {
        ++lost;
        for (const auto& [name, to] : change.names) lost_names.insert(name);
        lost_nodes.insert(change.nodes.begin(), change.nodes.end());
      }
      let_go(change);
    }
    for (const auto& [name, to] : folder.stored) hold(to);
    const auto seen = std::exchange(folder.seen, folder.stored);
    for (const auto& [name, to] : seen) release(to);
    release(id);
  }
  return lost;
}

void DiskTree::take_room(NodeId id, std::uint64_t first_page, std::uint64_t end_page) {
  PageSet& room = node(id)->file->room();
  blocks_used_ -= room.count();
  room.add(first_page, end_page);
  blocks_used_ += room.count();
}

void DiskTree::cut_room(NodeId id, std::uint64_t first_page) {
  PageSet& room = node(id)->file->room();
  blocks_used_ -= room.count();
  room.cut(first_page);
  blocks_used_ += room.count();
}

void DiskTree::release(NodeId id) {
  DiskNode& gone = *node(id);
  TUBING_ASSERT(gone.holders > 0);
  if (--gone.holders > 0) return;
  blocks_used_ -= 1 + (gone.file ? gone.file->room().count() : 0);
  DiskFolder folder = std::move(gone.folder);
  nodes_.erase(id);
  for (const auto& [name, to] : folder.seen) release(to);
  for (const auto& [name, to] : folder.stored) release(to);
  for (const NameChange& change : folder.unsynced) let_go(change);
}

}  // namespace tubing::sim::detail
