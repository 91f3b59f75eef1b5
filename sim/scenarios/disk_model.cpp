#include "tubing/sim/scenarios/disk_model.h"

#include <algorithm>

#include "tubing/channel/base/assert.h"
#include "tubing/sim/detail/disk_path.h"

namespace tubing::sim {

using channel::DiskOperation;
using channel::kSectorBytes;
using detail::name_of;
using detail::parent_of;

namespace {

/// More contents than this tell nothing: the sector may then hold anything.
constexpr std::size_t kContentsMax = 64;

bool is_of_file(DiskOperation operation) {
  return operation == DiskOperation::write || operation == DiskOperation::truncate ||
         operation == DiskOperation::preallocate;
}

std::uint64_t sectors_of(std::uint64_t bytes) { return (bytes + kSectorBytes - 1) / kSectorBytes; }

}  // namespace

DiskModel::Contents DiskModel::zeros() { return {.possible = {Bytes(kSectorBytes)}}; }

bool DiskModel::touches(const FileChange& change, std::uint64_t index) {
  const std::uint64_t begin = index * kSectorBytes;
  if (change.operation == DiskOperation::truncate) return change.size < begin + kSectorBytes;
  if (change.operation != DiskOperation::write) return false;
  return change.offset < begin + kSectorBytes && begin < change.offset + change.bytes.size();
}

DiskModel::Contents DiskModel::applied(const FileChange& change, std::uint64_t index,
                                       const Contents& before, bool certain) {
  const std::uint64_t begin = index * kSectorBytes;
  const bool is_write = change.operation == DiskOperation::write;
  // The part of the sector that is set: to the bytes of a write, or to zeros.
  const std::uint64_t from = std::max(is_write ? change.offset : change.size, begin) - begin;
  const std::uint64_t to =
      is_write ? std::min(change.offset + change.bytes.size() - begin, kSectorBytes) : kSectorBytes;
  Contents after;
  if (!certain) after = before;
  if (before.anything && (from > 0 || to < kSectorBytes)) after.anything = true;
  std::set<Bytes> whole{Bytes(kSectorBytes)};
  for (Bytes content : from == 0 && to == kSectorBytes ? whole : before.possible) {
    for (std::uint64_t i = from; i < to; ++i)
      content[i] = is_write ? change.bytes[begin + i - change.offset] : std::byte{0};
    after.possible.insert(std::move(content));
  }
  if (after.possible.size() > kContentsMax) after.anything = true;
  if (after.anything) after.possible.clear();
  return after;
}

DiskModel::Sizes DiskModel::applied(const FileChange& change, Sizes before, bool certain) {
  const auto result = [&](std::uint64_t size) {
    if (change.operation == DiskOperation::truncate) return change.size;
    return std::max(size, change.size);
  };
  const Sizes after{.min = result(before.min), .max = result(before.max)};
  if (certain) return after;
  return {.min = std::min(before.min, after.min), .max = std::max(before.max, after.max)};
}

void DiskModel::change_file(FileState& file, FileChange change) {
  if (change.operation == DiskOperation::write) {
    if (change.bytes.empty()) return;
    change.size = change.offset + change.bytes.size();
    for (std::uint64_t i = change.offset / kSectorBytes; i < sectors_of(change.size); ++i)
      file.sectors.try_emplace(i, Sector{.seen = zeros(), .stored = zeros()});
  }
  for (auto& [index, sector] : file.sectors)
    if (touches(change, index)) sector.seen = applied(change, index, sector.seen, change.certain);
  file.seen = applied(change, file.seen, change.certain);
  file.unsynced.push_back(std::move(change));
}

void DiskModel::sync_file(FileState& file, std::uint64_t covered, bool certain) {
  const auto rest = std::ranges::find_if(
      file.unsynced, [&](const FileChange& change) { return change.id > covered; });
  for (auto change = file.unsynced.begin(); change != rest; ++change) {
    const bool is_stored = certain && change->certain;
    for (auto& [index, sector] : file.sectors)
      if (touches(*change, index))
        sector.stored = applied(*change, index, sector.stored, is_stored);
    file.stored = applied(*change, file.stored, is_stored);
  }
  file.unsynced.erase(file.unsynced.begin(), rest);
  if (certain) return;
  // What was not stored may be gone from what is seen too, now or later.
  Sizes sizes = file.stored;
  for (const FileChange& change : file.unsynced) sizes = applied(change, sizes, change.certain);
  file.seen = {.min = std::min(file.seen.min, sizes.min),
               .max = std::max(file.seen.max, sizes.max)};
  for (auto& [index, sector] : file.sectors) {
    Contents old = sector.stored;
    for (const FileChange& change : file.unsynced)
      if (touches(change, index)) old = applied(change, index, old, change.certain);
    sector.seen.anything |= old.anything;
    sector.seen.possible.merge(old.possible);
  }
}

void DiskModel::change_names(FolderState& folder, NameChange change) {
  if (change.certain)
    for (const auto& [name, to] : change.names) {
      if (to == 0)
        folder.seen.erase(name);
      else
        folder.seen[name] = to;
    }
  folder.unsynced.push_back(std::move(change));
}

std::vector<DiskModel::Names> DiskModel::names_after_power_loss(const FolderState& folder) {
  struct Branch {
    Names names;
    std::set<std::string> lost_names;
    std::set<Node> lost_nodes;
  };
  std::vector<Branch> branches{{.names = folder.stored, .lost_names = {}, .lost_nodes = {}}};
  for (const NameChange& change : folder.unsynced) {
    std::vector<Branch> next;
    for (const Branch& branch : branches) {
      const bool blocked =
          std::ranges::any_of(change.names,
                              [&](const auto& n) { return branch.lost_names.contains(n.first); }) ||
          std::ranges::any_of(change.nodes, [&](Node n) { return branch.lost_nodes.contains(n); });
      Branch without = branch;
      for (const auto& [name, to] : change.names) without.lost_names.insert(name);
      without.lost_nodes.insert(change.nodes.begin(), change.nodes.end());
      next.push_back(std::move(without));
      if (blocked) continue;
      Branch with = branch;
      for (const auto& [name, to] : change.names) {
        if (to == 0)
          with.names.erase(name);
        else
          with.names[name] = to;
      }
      next.push_back(std::move(with));
    }
    branches = std::move(next);
  }
  std::set<Names> all;
  for (Branch& branch : branches) all.insert(std::move(branch.names));
  return {all.begin(), all.end()};
}

std::vector<DiskModel::Names> DiskModel::names_after_crash(const FolderState& folder) {
  std::vector<Names> all{folder.seen};
  for (const NameChange& change : folder.unsynced) {
    if (change.certain) continue;
    const std::size_t count = all.size();
    for (std::size_t i = 0; i < count; ++i) {
      Names with = all[i];
      for (const auto& [name, to] : change.names) {
        if (to == 0)
          with.erase(name);
        else
          with[name] = to;
      }
      all.push_back(std::move(with));
    }
  }
  return all;
}

DiskModel::Node DiskModel::find(const std::string& path) const {
  if (path.empty()) return kRoot;
  const Node folder = find(std::string(parent_of(path)));
  const auto found = folders_.find(folder);
  if (found == folders_.end()) return 0;
  const auto node = found->second.seen.find(name_of(path));
  return node == found->second.seen.end() ? 0 : node->second;
}

DiskModel::Node DiskModel::folder_of(const std::string& path) const {
  return find(std::string(parent_of(path)));
}

bool DiskModel::exists(const std::string& path) const { return find(path) != 0; }

std::size_t DiskModel::unsynced_names(const std::string& folder) const {
  return folders_.at(find(folder)).unsynced.size();
}

DiskModel::StepId DiskModel::begin(DiskStep step) {
  UnderWay under_way;
  const bool is_of_content = is_of_file(step.operation) || step.operation == DiskOperation::sync ||
                             step.operation == DiskOperation::sync_dir;
  under_way.node = is_of_content ? find(step.path) : folder_of(step.path);
  TUBING_ASSERT(under_way.node != 0, step.path);
  under_way.covered = last_change_;
  under_way.step = std::move(step);
  under_way_.emplace(next_step_, std::move(under_way));
  return next_step_++;
}

void DiskModel::end(StepId id, Code code) {
  const auto found = under_way_.find(id);
  TUBING_ASSERT(found != under_way_.end(), id);
  const UnderWay under_way = std::move(found->second);
  under_way_.erase(found);
  apply(under_way, code == Code::ok);
}

void DiskModel::end_process() {
  for (const auto& [id, under_way] : std::exchange(under_way_, {})) {
    apply(under_way, false);
    if (!is_of_file(under_way.step.operation)) apply_names(under_way, false);
  }
}

/// Of names nothing happened unless it is certain, or the process ended meanwhile.
void DiskModel::apply(const UnderWay& under_way, bool certain) {
  const DiskStep& step = under_way.step;
  if (is_of_file(step.operation)) {
    const std::uint64_t size =
        step.operation == DiskOperation::preallocate ? step.offset + step.length : step.length;
    change_file(files_.at(under_way.node), {.id = ++last_change_,
                                            .operation = step.operation,
                                            .offset = step.offset,
                                            .size = size,
                                            .bytes = step.bytes,
                                            .certain = certain});
  } else if (step.operation == DiskOperation::sync) {
    sync_file(files_.at(under_way.node), under_way.covered, certain);
  } else if (certain) {
    apply_names(under_way, true);
  }
  for (const auto& [offset, length] : under_way.damaged) spoil(under_way.node, offset, length);
}

void DiskModel::apply_names(const UnderWay& under_way, bool certain) {
  const DiskStep& step = under_way.step;
  if (step.operation == DiskOperation::sync) return;
  FolderState& folder = folders_.at(under_way.node);
  if (step.operation == DiskOperation::sync_dir) {
    if (!certain) return;
    while (!folder.unsynced.empty() && folder.unsynced.front().id <= under_way.covered) {
      for (const auto& [name, to] : folder.unsynced.front().names) {
        if (to == 0)
          folder.stored.erase(name);
        else
          folder.stored[name] = to;
      }
      folder.unsynced.erase(folder.unsynced.begin());
    }
    return;
  }
  const Node node = find(step.path);
  NameChange change{.id = ++last_change_, .names = {}, .nodes = {}, .certain = certain};
  const std::string name = name_of(step.path);
  if (step.operation == DiskOperation::open || step.operation == DiskOperation::make_dir) {
    if (node != 0) return;
    const Node made = next_node_++;
    if (step.operation == DiskOperation::open)
      files_[made];
    else
      folders_[made];
    change.names = {{name, made}};
    change.nodes = {made};
  } else {
    TUBING_ASSERT(node != 0, step.path);
    change.names = {{name, 0}};
    change.nodes = {node};
    if (step.operation == DiskOperation::rename) {
      if (step.target == step.path) return;
      change.names.emplace_back(name_of(step.target), node);
      if (const Node replaced = find(step.target); replaced != 0) change.nodes.push_back(replaced);
    }
  }
  change_names(folder, std::move(change));
}

void DiskModel::spoil(Node node, std::uint64_t offset, std::uint64_t length) {
  const auto file = files_.find(node);
  if (file == files_.end()) return;
  for (std::uint64_t i = offset / kSectorBytes; i < sectors_of(offset + length); ++i) {
    Sector& sector = file->second.sectors[i];
    sector.seen = sector.stored = {.possible = {}, .anything = true};
  }
}

/// The files that are seen nowhere: a power loss may bring them back.
std::set<DiskModel::Node> DiskModel::nameless() const {
  std::set<Node> nodes;
  for (const auto& [node, file] : files_) nodes.insert(node);
  for (const auto& [id, folder] : folders_)
    for (const auto& [name, node] : folder.seen) nodes.erase(node);
  return nodes;
}

/// The files that the disk may call so. A change of names that is under way may have happened
/// there: what it moves has its new name then, and what it removes or replaces is seen nowhere.
std::set<DiskModel::Node> DiskModel::files_called(const std::string& path) const {
  std::set<Node> nodes = path.empty() ? nameless() : std::set<Node>{find(path)};
  for (const auto& [id, under_way] : under_way_) {
    const DiskStep& step = under_way.step;
    const bool renames = step.operation == DiskOperation::rename;
    if (path.empty() && renames) nodes.insert(find(step.target));
    if (path.empty() && step.operation == DiskOperation::remove) nodes.insert(find(step.path));
    if (renames && (path + '/').starts_with(step.target + '/'))
      nodes.insert(find(step.path + path.substr(step.target.size())));
  }
  return nodes;
}

void DiskModel::damage(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  for (const Node node : files_called(path)) {
    spoil(node, offset, length);
    for (auto& [id, under_way] : under_way_)
      if (under_way.node == node) under_way.damaged.emplace_back(offset, length);
  }
}

}  // namespace tubing::sim
