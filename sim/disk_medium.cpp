#include "tubing/sim/disk_medium.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/sim/detail/disk_path.h"

namespace tubing::sim {

using channel::DiskOperation;
using channel::DiskRequest;
using channel::OpenMode;
using detail::ChangeId;
using detail::DiskFile;
using detail::DiskNode;
using detail::DiskTree;
using detail::FileChange;
using detail::kPageBytes;
using detail::NodeId;

namespace {

/// What a disk without a capacity says of itself.
constexpr std::uint64_t kUnlimitedBytes = std::uint64_t{1} << 50;

std::uint64_t page_behind(std::uint64_t offset) { return (offset + kPageBytes - 1) / kPageBytes; }

std::string_view meaning_of(Code code) {
  switch (code) {
    case Code::not_found: return "no such file or folder: make it first, or look at the path";
    case Code::already_exists: return "it is there already: choose another name";
    case Code::invalid_argument: return "a file stands where a folder must, or the reverse";
    case Code::failed_precondition: return "the folder is not empty: remove what is in it first";
    case Code::resource_exhausted: return "the simulated disk is full: make room, then go on";
    default: return "the simulated device failed (EIO)";
  }
}

Error fail(const DiskRequest& request, Code code) { return request.error(code, meaning_of(code)); }

}  // namespace

DiskMedium::DiskMedium(std::function<Time()> clock, Prng prng, RunHash& hash, std::uint64_t host)
    : clock_(std::move(clock)),
      draws_(prng.next()),
      orders_of_disks_(prng.next()),
      losses_of_files_(prng.next()),
      losses_of_names_(prng.next()),
      hash_(hash),
      host_(host) {}

DiskMedium::~DiskMedium() {
  TUBING_ASSERT(disks_.empty() && "a DiskMedium outlives its Disks", disks_.size());
}

DiskImage DiskMedium::image() const {
  DiskImage image;
  std::vector<std::pair<std::string, NodeId>> folders{{std::string(), DiskTree::kRoot}};
  while (!folders.empty()) {
    const auto [folder, id] = std::move(folders.back());
    folders.pop_back();
    for (const auto& [name, child] : tree_.node(id)->folder.seen) {
      std::string path = detail::path_below(folder, name);
      const DiskFile* const file = tree_.node(child)->file.get();
      image[path] = file ? std::optional(file->read(0, file->size())) : std::nullopt;
      if (!file) folders.emplace_back(std::move(path), child);
    }
  }
  return image;
}

void DiskMedium::perform(DiskRequest& request, Opening& opening, ChangeId covered) {
  ++counts_.operations[static_cast<std::size_t>(request.operation)];
  request.result = carry_out(request, opening, covered);
  note(request, opening);
}

Result<> DiskMedium::carry_out(DiskRequest& request, Opening& opening, ChangeId covered) {
  switch (request.operation) {
    case DiskOperation::open: return open(request, opening);
    case DiskOperation::close: close(opening); return {};
    case DiskOperation::free_space: {
      const std::uint64_t total =
          conditions_.capacity_bytes > 0 ? conditions_.capacity_bytes : kUnlimitedBytes;
      const std::uint64_t used = std::min(total, tree_.blocks_used() * kPageBytes);
      request.space = {.free_bytes = total - used, .total_bytes = total};
      return {};
    }
    case DiskOperation::read:
    case DiskOperation::write:
    case DiskOperation::sync:
    case DiskOperation::truncate:
    case DiskOperation::preallocate:
    case DiskOperation::lock:
    case DiskOperation::size: return on_file(request, opening, covered);
    default: return on_names(request, covered);
  }
}

Result<> DiskMedium::on_file(DiskRequest& request, Opening& opening, ChangeId covered) {
  const NodeId id = opening.node;
  DiskNode* node = tree_.node(id);
  if (!node) return fail(request, Code::data_loss);  // another disk stands in its place
  switch (request.operation) {
    case DiskOperation::read: return read(request, id);
    case DiskOperation::write: return write(request, id);
    case DiskOperation::sync: return sync(request, opening, covered);
    case DiskOperation::preallocate: return preallocate(request, id);
    case DiskOperation::lock: return lock(request, opening);
    case DiskOperation::size: request.stat.size = node->file->size(); return {};
    default: break;
  }
  tree_.cut_room(id, page_behind(request.length));
  change(id, {.kind = FileChange::Kind::resize, .size = request.length});
  return {};
}

Result<> DiskMedium::open(const DiskRequest& request, Opening& opening) {
  const DiskTree::Place place = tree_.find(request.path);
  if (place.code != Code::ok) return fail(request, place.code);
  NodeId id = place.node;
  if (id != 0 && request.mode == OpenMode::create_new) return fail(request, Code::already_exists);
  if (id != 0 && tree_.is_folder(id)) return fail(request, Code::invalid_argument);
  if (id == 0) {
    if (request.mode == OpenMode::read || request.mode == OpenMode::write)
      return fail(request, Code::not_found);
    if (!has_room(request, 1)) return fail(request, Code::resource_exhausted);
    id = tree_.create(place, false, ++last_change_);
  }
  tree_.hold(id);
  opening = {.node = id, .id = next_opening_++, .failed_syncs_told = tree_.node(id)->failed_syncs};
  return {};
}

void DiskMedium::close(Opening& opening) {
  const NodeId id = std::exchange(opening.node, 0);
  DiskNode* node = tree_.node(id);
  if (!node) return;
  if (node->locked_by == opening.id) node->locked_by = 0;
  tree_.release(id);
}

Result<> DiskMedium::read(DiskRequest& request, NodeId id) {
  DiskFile& file = *tree_.node(id)->file;
  if (strikes(DiskFault::read_error, conditions_.read_error, request.path)) {
    count(DiskFault::read_error);
    return fail(request, Code::data_loss);
  }
  const std::uint64_t end = std::min(file.stored_size(), request.offset + request.length);
  if (strikes(DiskFault::rot, conditions_.rot, request.path) && request.offset < end) {
    const std::uint64_t at = request.offset + draws(DiskFault::rot).below(end - request.offset);
    count(DiskFault::rot);
    file.flip(at, std::byte{1} << draws(DiskFault::rot).below(8));
    damage(id, at, 1, DiskFault::rot);
  }
  request.bytes = file.read(request.offset, request.length);
  return {};
}

Result<> DiskMedium::write(const DiskRequest& request, NodeId id) {
  const Bytes bytes = detail::joined(request.parts);
  if (bytes.empty()) return {};
  const std::uint64_t first = request.offset / kPageBytes;
  const std::uint64_t end = page_behind(request.offset + bytes.size());
  const std::uint64_t missing = tree_.node(id)->file->room().missing(first, end);
  if (missing > 0 && !has_room(request, missing)) return write_in_part(request, id, bytes);
  tree_.take_room(id, first, end);
  if (strikes(DiskFault::write_error, conditions_.write_error, request.path)) {
    count(DiskFault::write_error);
    detail::for_each_sector(request.offset, bytes, [&](std::uint64_t at, ByteView part) {
      if (draws(DiskFault::write_error).chance(1, 2))
        change(id, {.offset = at, .bytes = Bytes(part.begin(), part.end())});
    });
    return fail(request, Code::data_loss);
  }
  const bool misdirected = strikes(DiskFault::misdirected, conditions_.misdirected, request.path);
  if (misdirected) count(DiskFault::misdirected);
  change(id, {.offset = request.offset, .bytes = bytes, .misdirected = misdirected});
  return {};
}

/// The disk is full: what came before is written, as by a short write.
Result<> DiskMedium::write_in_part(const DiskRequest& request, NodeId id, ByteView bytes) {
  const std::uint64_t capacity = conditions_.capacity_bytes / kPageBytes;
  std::uint64_t free = capacity == 0                    ? ~std::uint64_t{0}
                       : capacity > tree_.blocks_used() ? capacity - tree_.blocks_used()
                                                        : 0;
  const detail::PageSet& room = tree_.node(id)->file->room();
  std::uint64_t page = request.offset / kPageBytes;
  const std::uint64_t end = page_behind(request.offset + bytes.size());
  for (; page < end; ++page) {
    const std::uint64_t missing = room.missing(page, page + 1);
    if (missing > free) break;
    free -= missing;
  }
  const std::uint64_t fits = std::min<std::uint64_t>(
      bytes.size(), page * kPageBytes > request.offset ? page * kPageBytes - request.offset : 0);
  // It ends where a sector does.
  const std::uint64_t stop = request.offset + draws(DiskFault::no_space).below(fits + 1);
  const std::uint64_t end_of_part = stop - stop % channel::kSectorBytes;
  const ByteView part =
      bytes.first(end_of_part > request.offset ? end_of_part - request.offset : 0);
  if (!part.empty()) {
    tree_.take_room(id, request.offset / kPageBytes, page_behind(request.offset + part.size()));
    change(id, {.offset = request.offset, .bytes = Bytes(part.begin(), part.end())});
  }
  return fail(request, Code::resource_exhausted);
}

Result<> DiskMedium::preallocate(const DiskRequest& request, NodeId id) {
  const std::uint64_t first = request.offset / kPageBytes;
  const std::uint64_t end = page_behind(request.offset + request.length);
  const std::uint64_t missing = tree_.node(id)->file->room().missing(first, end);
  if (missing > 0 && !has_room(request, missing)) return fail(request, Code::resource_exhausted);
  tree_.take_room(id, first, end);
  change(id, {.kind = FileChange::Kind::grow, .size = request.offset + request.length});
  return {};
}

Result<> DiskMedium::sync(const DiskRequest& request, Opening& opening, ChangeId covered) {
  DiskNode& node = *tree_.node(opening.node);
  DiskFile& file = *node.file;
  // Another File of it heard first: each hears once.
  const bool untold = opening.failed_syncs_told < node.failed_syncs;
  const bool fails = strikes(DiskFault::sync_error, conditions_.sync_error, request.path);
  if (fails) {
    count(DiskFault::sync_error);
    ++node.failed_syncs;
  }
  opening.failed_syncs_told = node.failed_syncs;
  if (untold && !fails) return fail(request, Code::data_loss);
  while (!file.unsynced().empty() && file.unsynced().front().id <= covered) {
    const FileChange change = file.take_oldest();
    if (!fails || draws(DiskFault::sync_error).chance(1, 2)) store(opening.node, change);
  }
  if (fails) {
    if (draws(DiskFault::sync_error).chance(1, 2)) file.drop_cache();
    return fail(request, Code::data_loss);
  }
  if (file.unsynced().empty()) file.drop_cache();
  return {};
}

Result<> DiskMedium::lock(const DiskRequest& request, const Opening& opening) {
  DiskNode& node = *tree_.node(opening.node);
  if (node.locked_by != 0 && node.locked_by != opening.id)
    return request.error(Code::failed_precondition,
                         "another process, or another File, holds the lock: stop it, or use "
                         "another folder");
  node.locked_by = opening.id;
  return {};
}

Result<> DiskMedium::on_names(DiskRequest& request, ChangeId covered) {
  const DiskTree::Place place = tree_.find(request.path);
  if (place.code != Code::ok) return fail(request, place.code);
  if (request.operation == DiskOperation::make_dir) {
    if (place.node != 0) return fail(request, Code::already_exists);
    if (!has_room(request, 1)) return fail(request, Code::resource_exhausted);
    tree_.create(place, true, ++last_change_);
    return {};
  }
  if (place.node == 0) return fail(request, Code::not_found);
  if (request.operation == DiskOperation::rename || request.operation == DiskOperation::remove)
    return change_names(request, place);
  const bool is_folder = tree_.is_folder(place.node);
  if (request.operation == DiskOperation::stat) {
    request.stat = {.size = is_folder ? 0 : tree_.node(place.node)->file->size(),
                    .is_folder = is_folder};
    return {};
  }
  if (!is_folder) return fail(request, Code::invalid_argument);
  if (request.operation == DiskOperation::list) return list(request, place);
  if (strikes(DiskFault::sync_error, conditions_.sync_error, request.path)) {
    count(DiskFault::sync_error);
    return fail(request, Code::data_loss);
  }
  tree_.sync_folder(place.node, covered);
  return {};
}

Result<> DiskMedium::change_names(const DiskRequest& request, const DiskTree::Place& place) {
  if (request.operation == DiskOperation::remove) {
    const Code code = tree_.remove(place, ++last_change_);
    return code == Code::ok ? Result<>() : fail(request, code);
  }
  const DiskTree::Place target = tree_.find(request.target);
  if (target.code != Code::ok) return fail(request, target.code);
  const Code code = tree_.rename(place, target, ++last_change_);
  return code == Code::ok ? Result<>() : fail(request, code);
}

Result<> DiskMedium::list(DiskRequest& request, const DiskTree::Place& place) {
  for (const auto& [name, id] : tree_.node(place.node)->folder.seen)
    request.entries.push_back({.name = name, .is_folder = tree_.is_folder(id)});
  return {};
}

bool DiskMedium::has_room(const DiskRequest& request, std::uint64_t blocks) {
  const std::uint64_t capacity = conditions_.capacity_bytes / kPageBytes;
  const bool full = conditions_.capacity_bytes > 0 && tree_.blocks_used() + blocks > capacity;
  if (!full && !strikes(DiskFault::no_space, conditions_.no_space, request.path)) return true;
  count(DiskFault::no_space);
  return false;
}

void DiskMedium::change(NodeId id, FileChange change) {
  DiskFile& file = *tree_.node(id)->file;
  change.id = ++last_change_;
  file.change(std::move(change));
  while (file.unsynced_bytes() > kUnsyncedBytesMax) store(id, file.take_oldest());
}

void DiskMedium::store(NodeId id, const FileChange& change) {
  if (change.misdirected) return misdirect(id, change);
  tree_.node(id)->file->store(change);
}

}  // namespace tubing::sim
