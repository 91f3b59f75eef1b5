// What a DiskModel says of what is found.
#include <fmt/format.h>

#include <algorithm>

#include "tubing/channel/base/assert.h"
#include "tubing/sim/detail/disk_path.h"
#include "tubing/sim/scenarios/disk_model.h"

namespace tubing::sim {

using channel::kSectorBytes;
using detail::name_of;
using detail::parent_of;
using detail::path_below;

namespace {

constexpr std::size_t kBytesShown = 16;

std::uint64_t sectors_of(std::uint64_t bytes) { return (bytes + kSectorBytes - 1) / kSectorBytes; }

ByteView sector_of(const Bytes& bytes, std::uint64_t index) {
  const std::uint64_t begin = index * kSectorBytes;
  return ByteView(bytes).subspan(begin,
                                 std::min<std::uint64_t>(kSectorBytes, bytes.size() - begin));
}

}  // namespace

DiskModel::View::View(const DiskImage& found, bool power) : image(found), power_lost(power) {
  for (const auto& [path, content] : found)
    names[std::string(parent_of(path))].insert(name_of(path));
}

std::string DiskModel::match_sector(const FileState& file, std::uint64_t index, ByteView found,
                                    bool power_lost) const {
  const auto sector = file.sectors.find(index);
  Contents contents = zeros();
  if (sector != file.sectors.end())
    contents = power_lost ? sector->second.stored : sector->second.seen;
  if (power_lost)
    for (const FileChange& change : file.unsynced)
      if (touches(change, index)) contents = applied(change, index, contents, false);
  if (contents.anything) return {};
  ++sectors_checked_;
  std::size_t differs = 0;
  for (const Bytes& content : contents.possible) {
    const auto [here, there] = std::ranges::mismatch(found, content);
    if (here == found.end()) return {};
    differs = std::max(differs, static_cast<std::size_t>(here - found.begin()));
  }
  const ByteView shown = found.subspan(differs, std::min(kBytesShown, found.size() - differs));
  return fmt::format("from byte {} on it has {}, which none of {} possible contents has",
                     index * kSectorBytes + differs, to_hex(shown), contents.possible.size());
}

std::string DiskModel::match_file(const FileState& file, const Bytes& found,
                                  bool power_lost) const {
  Sizes sizes = power_lost ? file.stored : file.seen;
  if (power_lost)
    for (const FileChange& change : file.unsynced) sizes = applied(change, sizes, false);
  if (found.size() < sizes.min || found.size() > sizes.max)
    return fmt::format("it has {} bytes, where {} to {} are possible", found.size(), sizes.min,
                       sizes.max);
  for (std::uint64_t i = 0; i < sectors_of(found.size()); ++i) {
    std::string fault = match_sector(file, i, sector_of(found, i), power_lost);
    if (!fault.empty()) return fault;
  }
  return {};
}

std::string DiskModel::match_names(const Names& names, const std::string& prefix,
                                   const View& view) const {
  const auto listed = view.names.find(prefix);
  static const std::set<std::string> kNone;
  const std::set<std::string>& found = listed == view.names.end() ? kNone : listed->second;
  for (const std::string& name : found)
    if (!names.contains(name))
      return fmt::format("{}: it is there, and must not be", path_below(prefix, name));
  for (const auto& [name, node] : names) {
    const std::string path = path_below(prefix, name);
    if (!found.contains(name)) return fmt::format("{}: it is gone", path);
    const std::optional<Bytes>& content = view.image.at(path);
    if (folders_.contains(node) == content.has_value())
      return fmt::format("{}: a file stands where a folder must, or the reverse", path);
    const std::string fault = content ? match_file(files_.at(node), *content, view.power_lost)
                                      : match_folder(node, path, view);
    if (!fault.empty()) return content ? fmt::format("{}: {}", path, fault) : fault;
  }
  return {};
}

std::string DiskModel::match_folder(Node node, const std::string& prefix, const View& view) const {
  const FolderState& folder = folders_.at(node);
  std::string fault;
  for (const Names& names :
       view.power_lost ? names_after_power_loss(folder) : names_after_crash(folder)) {
    const std::string why = match_names(names, prefix, view);
    if (why.empty()) return {};
    if (why.size() > fault.size()) fault = why;  // the one that got furthest says most
  }
  return fault;
}

std::string DiskModel::may_remain(const DiskImage& found) const {
  TUBING_ASSERT(under_way_.empty());
  return match_folder(kRoot, "", View(found, true));
}

std::string DiskModel::find_after_crash(const DiskImage& found) {
  TUBING_ASSERT(under_way_.empty());
  return settle_names(kRoot, "", View(found, false));
}

std::string DiskModel::settle_names(Node node, const std::string& prefix, const View& view) {
  FolderState& folder = folders_.at(node);
  // What was under way has happened where the names say so: its first name is gone, or is there.
  for (NameChange& change : folder.unsynced) {
    if (change.certain) continue;
    const auto& [name, to] = change.names.front();
    const auto listed = view.names.find(prefix);
    const bool is_there = listed != view.names.end() && listed->second.contains(name);
    if (is_there != (to != 0)) continue;
    change.certain = true;
    for (const auto& [changed, now] : change.names) {
      if (now == 0)
        folder.seen.erase(changed);
      else
        folder.seen[changed] = now;
    }
  }
  std::erase_if(folder.unsynced, [](const NameChange& change) { return !change.certain; });
  std::string fault = match_names(folder.seen, prefix, view);
  if (!fault.empty()) return fault;
  for (const auto& [name, below] : Names(folder.seen)) {
    if (!folders_.contains(below)) continue;
    std::string inside = settle_names(below, path_below(prefix, name), view);
    if (!inside.empty()) return inside;
  }
  return {};
}

void DiskModel::adopt(const DiskImage& found) {
  TUBING_ASSERT(under_way_.empty());
  files_.clear();
  folders_.clear();
  folders_[kRoot];
  for (const auto& [path, content] : found) {
    const Node node = next_node_++;
    FolderState& folder = folders_.at(folder_of(path));
    folder.seen[name_of(path)] = node;
    folder.stored[name_of(path)] = node;
    if (!content) {
      folders_[node];
      continue;
    }
    FileState& file = files_[node];
    file.seen = file.stored = {.min = content->size(), .max = content->size()};
    for (std::uint64_t i = 0; i < sectors_of(content->size()); ++i) {
      const ByteView part = sector_of(*content, i);
      Bytes sector(part.begin(), part.end());
      sector.resize(kSectorBytes);
      const Contents known{.possible = {std::move(sector)}};
      file.sectors[i] = {.seen = known, .stored = known};
    }
  }
}

std::string DiskModel::check_read(const std::string& path, std::uint64_t offset, std::size_t length,
                                  const Bytes& seen) const {
  const FileState& file = files_.at(find(path));
  const auto visible = [&](std::uint64_t size) {
    return size > offset ? std::min<std::uint64_t>(length, size - offset) : 0;
  };
  if (seen.size() < visible(file.seen.min) || seen.size() > visible(file.seen.max))
    return fmt::format("{}: a read of {} bytes at {} gave {}, where {} to {} are possible", path,
                       length, offset, seen.size(), visible(file.seen.min), visible(file.seen.max));
  // Only whole sectors, and the end, can be compared from their begin.
  const std::uint64_t first = sectors_of(offset);
  const std::uint64_t end = offset + seen.size();
  for (std::uint64_t i = first; i * kSectorBytes < end; ++i) {
    const std::uint64_t begin = i * kSectorBytes;
    const std::uint64_t size = std::min<std::uint64_t>(kSectorBytes, end - begin);
    const std::string fault =
        match_sector(file, i, ByteView(seen).subspan(begin - offset, size), false);
    if (!fault.empty()) return fmt::format("{}: {}", path, fault);
  }
  return {};
}

std::string DiskModel::check_size(const std::string& path, std::uint64_t size) const {
  const Sizes& sizes = files_.at(find(path)).seen;
  if (size >= sizes.min && size <= sizes.max) return {};
  return fmt::format("{}: its size is said to be {}, where {} to {} are possible", path, size,
                     sizes.min, sizes.max);
}

std::string DiskModel::check_list(const std::string& folder,
                                  const std::vector<channel::DiskEntry>& entries) const {
  std::vector<channel::DiskEntry> expected;
  for (const auto& [name, node] : folders_.at(find(folder)).seen)
    expected.push_back({.name = name, .is_folder = folders_.contains(node)});
  if (entries == expected) return {};
  return fmt::format("{}: {} names are listed, and not the {} that are there", folder,
                     entries.size(), expected.size());
}

}  // namespace tubing::sim
