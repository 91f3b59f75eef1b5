#include "tubing/channel/disk.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <utility>

#include "tubing/channel/detail/disk_op.h"

namespace tubing::channel {
namespace {

// Offsets are signed below the seam.
constexpr std::uint64_t kFileBytesMax = std::numeric_limits<std::int64_t>::max();

constexpr std::array<const char*, kDiskOperations> kNames{
    "open",  "read",   "write",  "sync",     "truncate", "preallocate", "lock",       "size",
    "close", "rename", "remove", "make_dir", "list",     "sync_dir",    "free_space", "stat"};

bool is_of_file(DiskOperation operation) {
  return operation >= DiskOperation::read && operation <= DiskOperation::close;
}

bool changes_file(DiskOperation operation) {
  return operation == DiskOperation::write || operation == DiskOperation::truncate ||
         operation == DiskOperation::preallocate;
}

/// What is wrong with one name of a path; empty for nothing.
std::string_view fault_of_name(std::string_view name) {
  if (name.empty()) return "it is absolute, or has an empty name in it";
  if (name == "." || name == "..") return "it has '.' or '..' in it";
  if (name.size() > kNameBytesMax) return "a name in it is longer than 255 bytes";
  if (name.find('\0') != std::string_view::npos) return "it has a zero byte in it";
  return {};
}

std::string_view fault_of_path(std::string_view path) {
  if (path.size() > kPathBytesMax) return "it is longer than 1024 bytes";
  for (;;) {
    const std::size_t end = path.find('/');
    const std::string_view fault = fault_of_name(path.substr(0, end));
    if (!fault.empty() || end == std::string_view::npos) return fault;
    path.remove_prefix(end + 1);
  }
}

std::string_view folder_of(std::string_view path) {
  const std::size_t end = path.rfind('/');
  return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
}

Result<> check_path(const DiskRequest& request, std::string_view path) {
  const bool may_be_root = request.operation == DiskOperation::list ||
                           request.operation == DiskOperation::sync_dir ||
                           request.operation == DiskOperation::stat;
  if (path.empty() && may_be_root) return {};
  const std::string_view fault = fault_of_path(path);
  if (fault.empty()) return {};
  return request.error(Code::invalid_argument,
                       fmt::format("'{}' cannot be a path here: {}; give one relative to the "
                                   "Disk's folder, as wal/1",
                                   printable(path.substr(0, 80)), fault));
}

/// Whether a sync of a folder failed at the device, and not before, on the way to the folder.
bool was_tried(const Error& error) {
  const Code code = error.code();
  return code != Code::not_found && code != Code::invalid_argument &&
         code != Code::permission_denied && code != Code::unavailable;
}

std::size_t bytes_of(const DiskRequest& request) {
  std::size_t bytes = request.operation == DiskOperation::read ? request.length : 0;
  for (const Bytes& part : request.parts) bytes += part.size();
  return bytes;
}

std::unique_ptr<DiskRequest> make_request(DiskOperation operation, FileId file) {
  auto request = std::make_unique<DiskRequest>();
  request->operation = operation;
  request->file = file;
  return request;
}

}  // namespace

const char* operation_name(DiskOperation operation) {
  return kNames[static_cast<std::size_t>(operation)];
}

Error DiskRequest::error(Code code, std::string_view what) const {
  if (path.empty()) return Error(code, operation_name(operation), what);
  return Error(code, operation_name(operation), fmt::format("{}: {}", printable(path), what));
}

Disk::Disk(DiskLimits limits)
    : limits_(limits), log_room_(limits.queue_bytes_max), bulk_room_(limits.queue_bytes_max) {
  TUBING_ASSERT(limits.operation_bytes_max + kOperationBytes <= limits.queue_bytes_max &&
                    "every operation finds room in an empty queue",
                limits.operation_bytes_max, limits.queue_bytes_max);
}

Disk::~Disk() {
  for (const auto& [id, file] : files_)
    TUBING_ASSERT((file.dropped || file.closing) && "a Disk outlives its Files", file.path);
}

Task<std::unique_ptr<DiskRequest>> Disk::carry_out(std::unique_ptr<DiskRequest> request) {
  co_await ok(check_state(*request));
  if (is_of_file(request->operation)) {
    const OpenFile& file = files_.at(request->file);
    request->path = file.path;
    request->queue = file.queue;
  }
  co_await ok(check(*request));
  const char* name = operation_name(request->operation);
  Result<Permit> permit =
      co_await room(request->queue).acquire(bytes_of(*request) + kOperationBytes);
  if (!permit) co_return permit.error().met_by(name);
  request->room_ = *std::move(permit);
  co_await ok(check_state(*request));  // it may have changed meanwhile
  auto done = co_await tubing::detail::DiskOp(*this, std::move(request));
  if (!done) co_return done.error().met_by(name);
  co_await ok((*done)->result);
  co_return *std::move(done);
}

Task<> Disk::carry_out_plain(std::unique_ptr<DiskRequest> request) {
  co_await ok(carry_out(std::move(request)));
  co_return {};
}

Result<> Disk::check(const DiskRequest& request) const {
  if (is_of_file(request.operation)) return check_extent(request);
  if (request.operation == DiskOperation::free_space) return {};
  if (Result<> checked = check_path(request, request.path); !checked) return checked;
  if (request.operation != DiskOperation::rename) return {};
  if (Result<> checked = check_path(request, request.target); !checked) return checked;
  if (folder_of(request.path) == folder_of(request.target)) return {};
  return request.error(Code::invalid_argument,
                       fmt::format("cannot become {}: that is another folder, and no disk makes "
                                   "such a move one change; rename within one folder",
                                   printable(request.target)));
}

Result<> Disk::check_extent(const DiskRequest& request) const {
  const std::size_t bytes = bytes_of(request);
  if (bytes > limits_.operation_bytes_max || request.parts.size() > kWritePartsMax)
    return request.error(
        Code::invalid_argument,
        fmt::format("{} bytes in {} parts are too much for one operation; split "
                    "it into some of at most {} bytes and {} parts",
                    bytes, request.parts.size(), limits_.operation_bytes_max, kWritePartsMax));
  const std::uint64_t length = std::max<std::uint64_t>(request.length, bytes);
  if (length > kFileBytesMax || request.offset > kFileBytesMax - length)
    return request.error(Code::out_of_range,
                         fmt::format("{} bytes at {} lie beyond what a file can hold; stay below "
                                     "2^63 bytes",
                                     length, request.offset));
  if (request.operation == DiskOperation::preallocate && length == 0)
    return request.error(Code::invalid_argument, "no bytes to preallocate; ask for at least one");
  return {};
}

/// Asked again once it found room: others went on meanwhile.
Result<> Disk::check_state(const DiskRequest& request) const {
  if (request.operation == DiskOperation::open && files_.size() + opening_ >= limits_.files_max)
    return request.error(Code::unavailable,
                         fmt::format("{} files are open already; close some, or raise "
                                     "DiskLimits::files_max",
                                     limits_.files_max));
  if (request.operation == DiskOperation::sync_dir) {
    const auto failed = failed_folders_.find(request.path);
    if (failed == failed_folders_.end()) return {};
    return request.error(Code::aborted,
                         fmt::format("an earlier sync of this folder failed ({}), and what it was "
                                     "to keep may be lost; start the process again, and look at "
                                     "what is there",
                                     failed->second.text()));
  }
  if (!is_of_file(request.operation)) return {};
  const auto found = files_.find(request.file);
  if (found == files_.end() || found->second.dropped || found->second.closing)
    return request.error(Code::failed_precondition, "the file is closed; open it again");
  const OpenFile& file = found->second;
  if (request.operation == DiskOperation::close) return {};
  if (file.poison) {
    DiskRequest named;
    named.operation = request.operation;
    named.path = file.path;
    return named.error(Code::aborted,
                       fmt::format("the file was poisoned ({}); open it again and look at what it "
                                   "holds before writing on",
                                   file.poison->text()));
  }
  if (file.read_only && changes_file(request.operation))
    return Error(Code::failed_precondition, operation_name(request.operation),
                 fmt::format("{}: open for reading alone; open it with OpenMode::write",
                             printable(file.path)));
  return {};
}

void Disk::submit(std::unique_ptr<DiskRequest> request) {
  if (request->operation == DiskOperation::open) {
    request->file = next_file_++;
    ++opening_;
  } else if (is_of_file(request->operation)) {
    OpenFile& file = files_.at(request->file);
    ++file.under_way;
    file.closing = request->operation == DiskOperation::close;
  }
  start(std::move(request));
}

void Disk::finish(std::unique_ptr<DiskRequest> request) {
  note_answer(*request);
  request->room_.release();
  if (tubing::detail::DiskOp* waiter = std::exchange(request->waiter_, nullptr))
    waiter->on_done(std::move(request));
}

void Disk::note_answer(const DiskRequest& request) {
  const bool failed = !request.result.has_value();
  if (request.operation == DiskOperation::open) return note_opened(request);
  if (request.operation == DiskOperation::sync_dir && failed && was_tried(request.result.error()))
    failed_folders_.try_emplace(request.path, request.result.error());
  if (!is_of_file(request.operation)) return;
  if (request.operation == DiskOperation::close) {
    files_.erase(request.file);
    return;
  }
  if (request.operation == DiskOperation::sync && failed)
    poison(request.file, request.result.error());
  OpenFile& file = files_.at(request.file);
  --file.under_way;
  if (file.dropped && file.under_way == 0) close_unheard(request.file);
}

void Disk::note_opened(const DiskRequest& request) {
  --opening_;
  if (!request.result) return;
  OpenFile& file = files_[request.file];
  file.path = request.path;
  file.queue = request.queue;
  file.read_only = request.mode == OpenMode::read;
  if (!request.waiter_) drop(request.file);
}

void Disk::abandon(DiskRequest& request) {
  request.waiter_ = nullptr;
  if (is_of_file(request.operation))
    poison(request.file, request.error(Code::cancelled, "abandoned while it was under way"));
}

void Disk::poison(FileId id, Error why) {
  OpenFile& file = files_.at(id);
  if (!file.poison) file.poison = std::make_unique<Error>(std::move(why));
}

void Disk::drop(FileId id) {
  const auto found = files_.find(id);
  if (found == files_.end() || found->second.closing) return;
  found->second.dropped = true;
  if (found->second.under_way == 0) close_unheard(id);
}

void Disk::close_unheard(FileId id) {
  auto request = make_request(DiskOperation::close, id);
  const OpenFile& file = files_.at(id);
  request->path = file.path;
  request->queue = file.queue;
  submit(std::move(request));
}

std::unique_ptr<DiskRequest> Disk::path_request(DiskOperation operation, std::string path,
                                                DiskQueue queue) const {
  auto request = make_request(operation, 0);
  request->path = std::move(path);
  request->queue = queue;
  return request;
}

Task<File> Disk::open(std::string path, OpenMode mode, DiskQueue queue) {
  auto request = path_request(DiskOperation::open, std::move(path), queue);
  request->mode = mode;
  auto done = co_await ok(carry_out(std::move(request)));
  co_return File(*this, done->file);
}

Task<> Disk::rename(std::string from, std::string to, DiskQueue queue) {
  auto request = path_request(DiskOperation::rename, std::move(from), queue);
  request->target = std::move(to);
  return carry_out_plain(std::move(request));
}

Task<> Disk::remove(std::string path, DiskQueue queue) {
  return carry_out_plain(path_request(DiskOperation::remove, std::move(path), queue));
}

Task<> Disk::make_dir(std::string path, DiskQueue queue) {
  return carry_out_plain(path_request(DiskOperation::make_dir, std::move(path), queue));
}

Task<std::vector<DiskEntry>> Disk::list(std::string folder, DiskQueue queue) {
  auto request = path_request(DiskOperation::list, std::move(folder), queue);
  auto done = co_await ok(carry_out(std::move(request)));
  co_return std::move(done->entries);
}

Task<> Disk::sync_dir(std::string folder, DiskQueue queue) {
  return carry_out_plain(path_request(DiskOperation::sync_dir, std::move(folder), queue));
}

Task<DiskSpace> Disk::free_space(DiskQueue queue) {
  auto done = co_await ok(carry_out(path_request(DiskOperation::free_space, {}, queue)));
  co_return done->space;
}

Task<DiskStat> Disk::stat(std::string path, DiskQueue queue) {
  auto request = path_request(DiskOperation::stat, std::move(path), queue);
  auto done = co_await ok(carry_out(std::move(request)));
  co_return done->stat;
}

File::File(File&& other) noexcept
    : disk_(std::exchange(other.disk_, nullptr)), id_(std::exchange(other.id_, 0)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(disk_, other.disk_);
  std::swap(id_, other.id_);
  return *this;
}

File::~File() {
  if (disk_) disk_->drop(id_);
}

std::unique_ptr<DiskRequest> File::request(DiskOperation operation) const {
  TUBING_ASSERT(disk_ && "an open File", operation_name(operation));
  return make_request(operation, id_);
}

namespace {

// Coroutines that touch no File: it may move while they wait.
Task<Bytes> read_bytes(Task<std::unique_ptr<DiskRequest>> carried_out) {
  auto done = co_await ok(std::move(carried_out));
  co_return std::move(done->bytes);
}

Task<std::uint64_t> read_size(Task<std::unique_ptr<DiskRequest>> carried_out) {
  auto done = co_await ok(std::move(carried_out));
  co_return done->stat.size;
}

}  // namespace

Task<Bytes> File::read(std::uint64_t offset, std::size_t length) {
  auto wanted = request(DiskOperation::read);
  wanted->offset = offset;
  wanted->length = length;
  return read_bytes(disk_->carry_out(std::move(wanted)));
}

Task<> File::write(std::uint64_t offset, Bytes bytes) {
  std::vector<Bytes> parts;
  parts.push_back(std::move(bytes));
  return write(offset, std::move(parts));
}

Task<> File::write(std::uint64_t offset, std::vector<Bytes> parts) {
  auto wanted = request(DiskOperation::write);
  wanted->offset = offset;
  wanted->parts = std::move(parts);
  return disk_->carry_out_plain(std::move(wanted));
}

Task<> File::sync() { return disk_->carry_out_plain(request(DiskOperation::sync)); }

Task<> File::truncate(std::uint64_t size) {
  auto wanted = request(DiskOperation::truncate);
  wanted->length = size;
  return disk_->carry_out_plain(std::move(wanted));
}

Task<> File::preallocate(std::uint64_t offset, std::uint64_t length) {
  auto wanted = request(DiskOperation::preallocate);
  wanted->offset = offset;
  wanted->length = length;
  return disk_->carry_out_plain(std::move(wanted));
}

Task<> File::lock() { return disk_->carry_out_plain(request(DiskOperation::lock)); }

Task<std::uint64_t> File::size() {
  return read_size(disk_->carry_out(request(DiskOperation::size)));
}

Task<> File::close() {
  TUBING_ASSERT(disk_ && "an open File");
  return Disk::close_file(std::move(*this));
}

Task<> Disk::close_file(File file) {
  Disk& disk = *file.disk_;
  const auto found = disk.files_.find(file.id_);
  if (found != disk.files_.end() && found->second.under_way > 0)
    co_return Error(Code::aborted, "close",
                    fmt::format("{}: operations of it are under way; it closes behind them",
                                printable(found->second.path)));
  co_return co_await disk.carry_out_plain(make_request(DiskOperation::close, file.id_));
}

}  // namespace tubing::channel
