// What goes wrong with a DiskMedium, and what is told of it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/sim/detail/draw.h"
#include "tubing/sim/disk.h"
#include "tubing/sim/disk_medium.h"

namespace tubing::sim {

using channel::DiskOperation;
using channel::DiskRequest;
using detail::DiskFile;
using detail::FileChange;
using detail::NodeId;

namespace {

constexpr std::array<const char*, kDiskFaults> kFaultNames{
    "lost_write", "torn_write",  "reordered_write", "lost_name", "rot",  "misdirected",
    "read_error", "write_error", "sync_error",      "no_space",  "slow", "hung",
    "wiped"};

bool is_sync(DiskOperation operation) {
  return operation == DiskOperation::sync || operation == DiskOperation::sync_dir;
}

std::uint64_t payload_bytes(const DiskRequest& request) {
  std::uint64_t bytes = request.operation == DiskOperation::read ? request.length : 0;
  for (const Bytes& part : request.parts) bytes += part.size();
  return bytes;
}

}  // namespace

const char* fault_name(DiskFault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

DiskCounts& DiskCounts::operator+=(const DiskCounts& other) {
  for (std::size_t i = 0; i < operations.size(); ++i) operations[i] += other.operations[i];
  for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += other.faults[i];
  power_losses += other.power_losses;
  return *this;
}

void DiskMedium::order(DiskFault fault, std::string path, std::uint64_t count) {
  TUBING_ASSERT(fault >= DiskFault::rot && fault != DiskFault::wiped && "it strikes operations",
                fault_name(fault));
  orders_.push_back({.fault = fault, .path = std::move(path), .left = count});
}

bool DiskMedium::strikes(DiskFault fault, std::uint32_t rate, std::string_view path) {
  for (Order& order : orders_) {
    if (order.fault != fault || order.left == 0 || !path.starts_with(order.path)) continue;
    --order.left;
    std::erase_if(orders_, [](const Order& o) { return o.left == 0; });
    return true;
  }
  return rate != 0 && draws(fault).chance(rate, 1'000'000);
}

void DiskMedium::set_conditions(const DiskConditions& conditions) {
  const DiskConditions before = std::exchange(conditions_, conditions);
  if (before.hung != 0 && conditions.hung == 0) release_hung();
  if (!conditions.eases(before)) return;
  for (Disk* disk : disks_) disk->hasten();
}

void DiskMedium::heal() {
  orders_.clear();
  note("disk.heal", {});
  DiskConditions healed = conditions_;
  healed.rot = healed.misdirected = healed.read_error = healed.write_error = healed.sync_error =
      healed.no_space = healed.slow = healed.hung = 0;
  set_conditions(healed);
  release_hung();
}

void DiskMedium::release_hung() {
  for (Disk* disk : disks_) disk->release_hung();
}

Duration DiskMedium::between(Prng prng, Duration min, Duration max) {
  if (max <= min) return min;
  return detail::draw(prng, min, max);
}

Duration DiskMedium::draw_healthy_time(const DiskRequest& request) {
  Duration time = between(draws_latency(), conditions_.latency_min, conditions_.latency_max);
  if (is_sync(request.operation))
    time += between(draws_latency(), conditions_.sync_min, conditions_.sync_max);
  if (conditions_.bytes_per_second > 0)
    time += Duration(static_cast<std::int64_t>(payload_bytes(request) * 1'000'000'000 /
                                               conditions_.bytes_per_second));
  return time;
}

Duration DiskMedium::draw_time(const DiskRequest& request) {
  Duration time = draw_healthy_time(request);
  if (strikes(DiskFault::slow, conditions_.slow, request.path)) {
    count(DiskFault::slow);
    time += between(draws(DiskFault::slow), Duration(1), conditions_.slow_max);
  }
  return time;
}

bool DiskMedium::draw_hang(const DiskRequest& request) {
  if (!strikes(DiskFault::hung, conditions_.hung, request.path)) return false;
  count(DiskFault::hung);
  return true;
}

void DiskMedium::perform_part(DiskRequest& request, Opening& opening) {
  if (request.operation != DiskOperation::write) {
    if (draws_part().chance(1, 2)) perform(request, opening, last_change_);
    return;
  }
  // The sectors that it reached, as a write of each.
  const Bytes bytes = detail::joined(request.parts);
  detail::for_each_sector(request.offset, bytes, [&](std::uint64_t at, ByteView sector) {
    if (draws_part().chance(1, 2)) return;
    DiskRequest reached;
    reached.operation = DiskOperation::write;
    reached.path = request.path;
    reached.offset = at;
    reached.parts.emplace_back(sector.begin(), sector.end());
    perform(reached, opening, last_change_);
  });
}

void DiskMedium::lose_power() {
  const std::vector<Disk*> disks = disks_;
  for (Disk* disk : disks) disk->cut();
  ++counts_.power_losses;
  std::vector<NodeId> files;
  for (const auto& [id, node] : tree_.nodes())
    if (node.file) files.push_back(id);
  for (const NodeId id : files) lose_unsynced(id);
  std::map<std::string, Prng, std::less<>> names;
  const std::uint64_t lost_names = tree_.lose_power([&](const std::string& path) {
    Prng& prng =
        names.try_emplace(path, losses_of_names_.of(path, counts_.power_losses)).first->second;
    return !prng.chance(conditions_.lost_name, 1'000'000);
  });
  counts_.faults[static_cast<std::size_t>(DiskFault::lost_name)] += lost_names;
  note("disk.power_loss",
       {counts_.of(DiskFault::lost_write), counts_.of(DiskFault::torn_write), lost_names});
}

void DiskMedium::lose_unsynced(NodeId id) {
  DiskFile& file = *tree_.node(id)->file;
  Prng prng = losses_of_files_.of(tree_.told_path(id), counts_.power_losses);
  const auto chance = [&](std::uint32_t rate) { return prng.chance(rate, 1'000'000); };
  const bool any_order = chance(conditions_.reordered_write);
  bool gap = false;  // an earlier change is lost, in whole or in part
  while (!file.unsynced().empty()) {
    const FileChange change = file.take_oldest();
    const bool is_write = change.kind == FileChange::Kind::write;
    if (chance(conditions_.lost_write) || (gap && !any_order)) {
      count(DiskFault::lost_write);
      gap = true;
      // The size may have been stored without the bytes.
      if (is_write && any_order && prng.chance(1, 4))
        file.store_size(change.offset + change.bytes.size());
      continue;
    }
    if (gap) count(DiskFault::reordered_write);
    if (is_write && !change.misdirected && chance(conditions_.torn_write)) {
      gap = store_torn(file, change, prng) || gap;
    } else {
      store(id, change);
    }
  }
  file.lose_unsynced();
}

/// Returns: whether a part of it is lost.
bool DiskMedium::store_torn(DiskFile& file, const FileChange& change, Prng& prng) {
  std::size_t stored = 0;
  std::size_t lost = 0;
  detail::for_each_sector(change.offset, change.bytes, [&](std::uint64_t at, ByteView part) {
    const bool keep = prng.chance(1, 2);
    ++(keep ? stored : lost);
    if (keep) file.store_bytes(at, part);
  });
  if (stored > 0 && lost > 0) count(DiskFault::torn_write);
  if (stored == 0) count(DiskFault::lost_write);
  return lost > 0;
}

void DiskMedium::misdirect(NodeId id, const FileChange& change) {
  DiskFile& file = *tree_.node(id)->file;
  file.store_size(change.offset + change.bytes.size());
  damage(id, change.offset, change.bytes.size(), DiskFault::misdirected);
  std::vector<NodeId> victims;
  for (const auto& [other, node] : tree_.nodes())
    if (node.file && node.file->stored_size() >= channel::kSectorBytes) victims.push_back(other);
  if (victims.empty()) return;
  const NodeId victim = victims[draws(DiskFault::misdirected).below(victims.size())];
  DiskFile& hit = *tree_.node(victim)->file;
  const std::uint64_t sector =
      draws(DiskFault::misdirected).below(hit.stored_size() / channel::kSectorBytes);
  const std::uint64_t at = sector * channel::kSectorBytes;
  const std::uint64_t length = std::min<std::uint64_t>(change.bytes.size(), hit.stored_size() - at);
  hit.store_bytes(at, ByteView(change.bytes).first(length));
  damage(victim, at, length, DiskFault::misdirected);
}

void DiskMedium::damage(NodeId id, std::uint64_t offset, std::uint64_t length, DiskFault fault) {
  note("disk.damage", {id, offset, length, static_cast<std::uint64_t>(fault)});
  if (on_damage_)
    on_damage_({.path = tree_.path_of(id), .offset = offset, .length = length, .fault = fault});
}

void DiskMedium::wipe() {
  count(DiskFault::wiped);
  tree_.wipe();
  note("disk.wipe", {});
}

bool DiskMedium::rot(std::string_view path, std::uint64_t offset, std::byte mask) {
  const detail::DiskTree::Place place = tree_.find(path);
  if (place.code != Code::ok || place.node == 0 || tree_.is_folder(place.node)) return false;
  DiskFile& file = *tree_.node(place.node)->file;
  if (offset >= file.stored_size()) return false;
  count(DiskFault::rot);
  file.flip(offset, mask);
  damage(place.node, offset, 1, DiskFault::rot);
  return true;
}

std::size_t DiskMedium::unsynced_changes() const {
  std::size_t changes = 0;
  for (const auto& [id, node] : tree_.nodes())
    changes += node.folder.unsynced.size() + (node.file ? node.file->unsynced().size() : 0);
  return changes;
}

void DiskMedium::note(std::string_view kind, std::initializer_list<std::uint64_t> words) {
  Bytes bytes(words.size() * sizeof(std::uint64_t));
  std::size_t at = 0;
  for (const std::uint64_t word : words) {
    store_le64(bytes.data() + at, word);
    at += sizeof(word);
  }
  hash_.on_event(clock_(), kind, host_, bytes);
}

void DiskMedium::note(const DiskRequest& request, const Opening& opening) {
  const auto code = static_cast<std::uint64_t>(request.result.code());
  const Time now = clock_();
  note("disk", {static_cast<std::uint64_t>(request.operation), opening.id, request.offset,
                request.length, request.stat.size, request.space.free_bytes, code});
  hash_.on_event(now, "disk.path", host_, as_bytes(request.path));
  if (!request.target.empty()) hash_.on_event(now, "disk.path", host_, as_bytes(request.target));
  for (const Bytes& part : request.parts) hash_.on_event(now, "disk.bytes", host_, part);
  if (!request.bytes.empty()) hash_.on_event(now, "disk.bytes", host_, request.bytes);
  for (const channel::DiskEntry& entry : request.entries)
    hash_.on_event(now, "disk.entry", entry.is_folder ? 1 : 0, as_bytes(entry.name));
}

}  // namespace tubing::sim
