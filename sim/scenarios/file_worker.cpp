#include "tubing/sim/scenarios/file_worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tubing/channel/timers.h"
#include "tubing/sim/detail/disk_path.h"

namespace tubing::sim {

using channel::DiskOperation;
using channel::File;
using channel::kSectorBytes;
using channel::OpenMode;

namespace {

constexpr std::array<const char*, 4> kFileNames{"a", "b", "c", "d"};
constexpr std::uint64_t kFileBytesMax = 16 * kSectorBytes;

}  // namespace

bool FilesLife::is_expected(Code code, const char* what, const std::string& path,
                            std::initializer_list<Code> faults) {
  ++counts.steps;
  if (code == Code::ok) {
    ++counts.acknowledged;
    return true;
  }
  if (std::ranges::find(faults, code) != faults.end()) {
    ++counts.refused;
    return true;
  }
  fail(fmt::format("{} of {} ended with {}", what, path, code_name(code)));
  return false;
}

std::string FileWorker::any_path() {
  return detail::path_below(folder_, kFileNames[prng_.below(kFileNames.size())]);
}

FileWorker::Slot* FileWorker::slot_of(const std::string& path) {
  const auto found = std::ranges::find(slots_, path, &Slot::path);
  return found == slots_.end() ? nullptr : &*found;
}

Bytes FileWorker::random_bytes(std::size_t size) {
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(prng_.next());
  return bytes;
}

Task<> FileWorker::run() {
  ++life_.working;
  while (!life_.stopping && life_.fault.empty()) co_await ok(step());
  slots_.clear();
  --life_.working;
  co_return {};
}

Task<> FileWorker::step() {
  const std::uint64_t draw = prng_.below(100);
  if (draw < 5) co_return co_await pause();
  if (draw < 10) co_return co_await look();
  if (draw < 20) co_return co_await change_names();
  if (draw < 26) co_return co_await sync_folder();
  if (slots_.empty() || (draw < 32 && slots_.size() < kSlotsMax)) co_return co_await open();
  Slot& slot = any_slot();
  if (draw < 35) co_return co_await close(slot.path);
  if (draw < 50) co_return co_await read(slot);
  if (draw < 68) co_return co_await sync(slot);
  if (draw < 75) co_return co_await resize(slot);
  co_return co_await write(slot);
}

Task<> FileWorker::pause() {
  co_return co_await sleep(std::chrono::microseconds(prng_.below(2000)));
}

Task<> FileWorker::open() {
  const std::string path = any_path();
  if (slot_of(path)) co_return {};
  constexpr std::array kModes{OpenMode::read, OpenMode::write, OpenMode::create, OpenMode::create,
                              OpenMode::create_new};
  const OpenMode mode = kModes[prng_.below(kModes.size())];
  const auto queue = prng_.chance(1, 4) ? channel::DiskQueue::bulk : channel::DiskQueue::log;
  const bool exists = life_.model.exists(path);
  const bool creates = !exists && (mode == OpenMode::create || mode == OpenMode::create_new);
  if (creates && life_.model.unsynced_names(folder_) >= DiskModel::kUnsyncedNamesMax) co_return {};
  DiskModel::StepId step = 0;
  if (creates) step = life_.model.begin({.operation = DiskOperation::open, .path = path});
  Result<File> opened = co_await life_.disk.open(path, mode, queue);
  if (opened.code() == Code::cancelled) co_return std::move(opened).error();
  if (creates) life_.model.end(step, opened.code());
  const Code refusal = exists && mode == OpenMode::create_new ? Code::already_exists
                       : !exists && !creates                  ? Code::not_found
                                                              : Code::ok;
  if (refusal != Code::ok) {
    life_.is_expected(opened.code(), "open", path, {refusal});
    if (opened) life_.fail(fmt::format("open of {} did not say {}", path, code_name(refusal)));
    co_return {};
  }
  life_.is_expected(opened.code(), "open", path, {Code::resource_exhausted});
  if (opened)
    slots_.push_back(
        {.file = *std::move(opened), .path = path, .read_only = mode == OpenMode::read});
  co_return {};
}

Task<> FileWorker::write(Slot& slot) {
  if (slot.read_only) co_return {};
  // Whole sectors, a record across some, or a few bytes.
  std::uint64_t offset = prng_.below(kFileBytesMax);
  std::uint64_t size = 1 + prng_.below(3 * kSectorBytes);
  if (prng_.chance(1, 3)) {
    offset -= offset % kSectorBytes;
    size = kSectorBytes * (1 + prng_.below(4));
  }
  Bytes bytes = random_bytes(size);
  const auto step = life_.model.begin({.path = slot.path, .offset = offset, .bytes = bytes});
  std::vector<Bytes> parts;
  const auto cut = static_cast<std::ptrdiff_t>(prng_.below(size));
  parts.emplace_back(bytes.begin(), bytes.begin() + cut);
  parts.emplace_back(bytes.begin() + cut, bytes.end());
  const Result<> written = co_await slot.file.write(offset, std::move(parts));
  if (written.code() == Code::cancelled) co_return written;
  life_.model.end(step, written.code());
  life_.is_expected(written.code(), "write", slot.path,
                    {Code::data_loss, Code::resource_exhausted});
  co_return {};
}

Task<> FileWorker::resize(Slot& slot) {
  if (slot.read_only) co_return {};
  const std::uint64_t size = prng_.below(kFileBytesMax);
  const bool cuts = prng_.chance(1, 2);
  const auto operation = cuts ? DiskOperation::truncate : DiskOperation::preallocate;
  const auto step =
      life_.model.begin({.operation = operation, .path = slot.path, .length = size + 1});
  const Result<> done =
      cuts ? co_await slot.file.truncate(size + 1) : co_await slot.file.preallocate(0, size + 1);
  if (done.code() == Code::cancelled) co_return done;
  life_.model.end(step, done.code());
  life_.is_expected(done.code(), channel::operation_name(operation), slot.path,
                    {Code::resource_exhausted});
  co_return {};
}

Task<> FileWorker::sync(Slot& slot) {
  const auto step = life_.model.begin({.operation = DiskOperation::sync, .path = slot.path});
  const Result<> synced = co_await slot.file.sync();
  if (synced.code() == Code::cancelled) co_return synced;
  life_.model.end(step, synced.code());
  life_.is_expected(synced.code(), "sync", slot.path, {Code::data_loss});
  if (synced) co_return {};
  // A failed sync leaves nothing to be done with the file but to open it again.
  ++life_.counts.poisoned;
  const Result<> again = co_await slot.file.sync();
  if (again.code() == Code::cancelled) co_return again;
  if (again.code() != Code::aborted)
    life_.fail(fmt::format("{}: a sync after a failed one ended with {}", slot.path,
                           code_name(again.code())));
  co_return co_await close(slot.path);
}

Task<> FileWorker::read(Slot& slot) {
  if (prng_.chance(1, 4)) {
    const Result<std::uint64_t> size = co_await slot.file.size();
    if (size.code() == Code::cancelled) co_return size.error();
    if (life_.is_expected(size.code(), "size", slot.path, {}) && size)
      life_.fail(life_.model.check_size(slot.path, *size));
    co_return {};
  }
  const std::uint64_t offset = prng_.below(kFileBytesMax);
  const std::size_t length = prng_.below(kFileBytesMax);
  const Result<Bytes> seen = co_await slot.file.read(offset, length);
  if (seen.code() == Code::cancelled) co_return seen.error();
  if (life_.is_expected(seen.code(), "read", slot.path, {Code::data_loss}) && seen)
    life_.fail(life_.model.check_read(slot.path, offset, length, *seen));
  co_return {};
}

Task<> FileWorker::change_names() {
  if (life_.model.unsynced_names(folder_) >= DiskModel::kUnsyncedNamesMax)
    co_return co_await sync_folder();
  const std::string path = any_path();
  const std::string other = any_path();
  const bool exists = life_.model.exists(path);
  if (prng_.chance(2, 3)) co_return co_await rename(path, other);
  if (slot_of(path)) co_await ok(close(path));
  DiskModel::StepId step = 0;
  if (exists) step = life_.model.begin({.operation = DiskOperation::remove, .path = path});
  const Result<> removed = co_await life_.disk.remove(path);
  if (removed.code() == Code::cancelled) co_return removed;
  if (exists) life_.model.end(step, removed.code());
  life_.is_expected(removed.code(), "remove", path, {exists ? Code::ok : Code::not_found});
  if (removed && !exists) life_.fail(fmt::format("{} was removed, though it was not there", path));
  co_return {};
}

Task<> FileWorker::rename(std::string from, std::string to) {
  const bool exists = life_.model.exists(from);
  if (exists && from != to && slot_of(to)) co_await ok(close(to));
  DiskModel::StepId step = 0;
  if (exists)
    step = life_.model.begin({.operation = DiskOperation::rename, .path = from, .target = to});
  const Result<> renamed = co_await life_.disk.rename(from, to);
  if (renamed.code() == Code::cancelled) co_return renamed;
  if (exists) life_.model.end(step, renamed.code());
  life_.is_expected(renamed.code(), "rename", from, {exists ? Code::ok : Code::not_found});
  if (renamed && !exists) life_.fail(fmt::format("{} was renamed, though it was not there", from));
  if (Slot* moved = slot_of(from); moved && renamed) moved->path = to;
  co_return {};
}

Task<> FileWorker::sync_folder() {
  const auto step = life_.model.begin({.operation = DiskOperation::sync_dir, .path = folder_});
  const Result<> synced = co_await life_.disk.sync_dir(folder_);
  if (synced.code() == Code::cancelled) co_return synced;
  life_.model.end(step, synced.code());
  life_.is_expected(synced.code(), "sync_dir", folder_,
                    {folder_failed_ ? Code::aborted : Code::data_loss});
  if (synced && folder_failed_)
    life_.fail(fmt::format("{}: a sync passed after one that failed", folder_));
  if (!synced) folder_failed_ = true;
  co_return {};
}

Task<> FileWorker::look() {
  const auto entries = co_await life_.disk.list(folder_);
  if (entries.code() == Code::cancelled) co_return entries.error();
  if (life_.is_expected(entries.code(), "list", folder_, {}) && entries)
    life_.fail(life_.model.check_list(folder_, *entries));
  co_return {};
}

Task<> FileWorker::close(std::string path) {
  const auto found = std::ranges::find(slots_, path, &Slot::path);
  File file = std::move(found->file);
  slots_.erase(found);
  const Result<> closed = co_await file.close();
  if (closed.code() == Code::cancelled) co_return closed;
  life_.is_expected(closed.code(), "close", path, {});
  co_return {};
}

}  // namespace tubing::sim
