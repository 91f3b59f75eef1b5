#include "tests/sim/recorded_disk.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/disk.h"

namespace tubing::test {
namespace {

using Kind = RecordedCall::Kind;
using Names = std::map<std::string, std::size_t>;

/// The most choices of one file or folder: each is there or not.
constexpr std::size_t kChoicesMax = 16;

/// One thing that a power loss may leave out of a file: bytes of one sector, or a size.
struct FilePiece {
  Kind kind = Kind::write;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  Bytes bytes = {};
};

struct NamesPiece {
  std::vector<std::pair<std::string, std::size_t>> names;  ///< kNothing: it goes.
  std::vector<std::size_t> nodes;
};
constexpr std::size_t kNothing = ~std::size_t{0};

struct Stored {
  bool is_folder = false;
  Bytes bytes;
  std::vector<FilePiece> file_pieces;
  Names seen;
  Names names;
  std::vector<NamesPiece> name_pieces;
};

void put(Names& names, const NamesPiece& piece) {
  for (const auto& [name, node] : piece.names) {
    if (node == kNothing)
      names.erase(name);
    else
      names[name] = node;
  }
}

void put(Bytes& bytes, const FilePiece& piece) {
  if (piece.kind == Kind::resize) return bytes.resize(piece.size);
  if (bytes.size() < piece.size) bytes.resize(piece.size);
  std::ranges::copy(piece.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(piece.offset));
}

/// Sector by sector, each of which makes the file just long enough; then the size by itself.
void add_write(std::vector<FilePiece>& pieces, const RecordedCall& call) {
  std::uint64_t at = call.offset;
  const std::uint64_t end = call.offset + call.bytes.size();
  while (at < end) {
    const std::uint64_t sector_end = (at / channel::kSectorBytes + 1) * channel::kSectorBytes;
    const std::uint64_t stop = std::min(end, sector_end);
    const auto begin = call.bytes.begin() + static_cast<std::ptrdiff_t>(at - call.offset);
    pieces.push_back({.offset = at,
                      .size = stop,
                      .bytes = Bytes(begin, begin + static_cast<std::ptrdiff_t>(stop - at))});
    at = stop;
  }
  pieces.push_back({.kind = Kind::grow, .size = end});
}

void change_names(Stored& folder, NamesPiece piece) {
  put(folder.seen, piece);
  folder.name_pieces.push_back(std::move(piece));
}

void replay(std::map<std::size_t, Stored>& disk, const RecordedCall& call) {
  Stored& node = disk[call.node];
  switch (call.kind) {
    case Kind::create:
      node.is_folder = call.is_folder;
      return change_names(disk[call.folder],
                          {.names = {{call.name, call.node}}, .nodes = {call.node}});
    case Kind::write: return add_write(node.file_pieces, call);
    case Kind::resize:
    case Kind::grow: node.file_pieces.push_back({.kind = call.kind, .size = call.size}); return;
    case Kind::sync:
      for (const FilePiece& piece : node.file_pieces) put(node.bytes, piece);
      return node.file_pieces.clear();
    case Kind::sync_folder:
      for (const NamesPiece& piece : node.name_pieces) put(node.names, piece);
      return node.name_pieces.clear();
    case Kind::rename:
    case Kind::remove: break;
  }
  Stored& folder = disk[call.folder];
  NamesPiece piece{.names = {{call.name, kNothing}}, .nodes = {call.node}};
  if (call.kind == Kind::rename) {
    if (call.name == call.new_name) return;
    piece.names.emplace_back(call.new_name, call.node);
    const auto replaced = folder.seen.find(call.new_name);
    if (replaced != folder.seen.end()) piece.nodes.push_back(replaced->second);
  }
  change_names(folder, std::move(piece));
}

bool conflict(const NamesPiece& a, const NamesPiece& b) {
  for (const auto& [name, node] : a.names)
    for (const auto& [other, to] : b.names)
      if (name == other) return true;
  return std::ranges::any_of(
      a.nodes, [&](std::size_t node) { return std::ranges::find(b.nodes, node) != b.nodes.end(); });
}

std::set<Names> names_of(const Stored& folder) {
  const std::size_t count = folder.name_pieces.size();
  if (count > kChoicesMax) return {};
  std::set<Names> all;
  for (std::size_t mask = 0; mask < (std::size_t{1} << count); ++mask) {
    Names names = folder.names;
    bool in_order = true;
    for (std::size_t i = 0; i < count; ++i) {
      if ((mask >> i & 1) == 0) continue;
      for (std::size_t before = 0; before < i; ++before)
        if ((mask >> before & 1) == 0 &&
            conflict(folder.name_pieces[before], folder.name_pieces[i]))
          in_order = false;
      put(names, folder.name_pieces[i]);
    }
    if (in_order) all.insert(std::move(names));
  }
  return all;
}

std::set<Bytes> bytes_of(const Stored& file) {
  const std::size_t count = file.file_pieces.size();
  if (count > kChoicesMax) return {};
  std::set<Bytes> all;
  for (std::size_t mask = 0; mask < (std::size_t{1} << count); ++mask) {
    Bytes bytes = file.bytes;
    for (std::size_t i = 0; i < count; ++i)
      if ((mask >> i & 1) != 0) put(bytes, file.file_pieces[i]);
    all.insert(std::move(bytes));
  }
  return all;
}

/// All states of what lies below a node; grows by products.
class States {
 public:
  States(const std::map<std::size_t, Stored>& disk, std::size_t count_max)
      : disk_(disk), count_max_(count_max) {}

  std::set<sim::DiskImage> of(std::size_t node, const std::string& path) {
    std::set<sim::DiskImage> states;
    const Stored& stored = disk_.at(node);
    if (!stored.is_folder) {
      for (const Bytes& bytes : bytes_of(stored)) states.insert({{path, bytes}});
    } else {
      for (const Names& names : names_of(stored)) states.merge(with_names(names, path));
    }
    if (states.empty() || states.size() > count_max_) too_many_ = true;
    return states;
  }
  bool too_many() const { return too_many_; }

 private:
  std::set<sim::DiskImage> with_names(const Names& names, const std::string& path) {
    sim::DiskImage itself;
    if (!path.empty()) itself[path] = std::nullopt;
    std::set<sim::DiskImage> states{itself};
    for (const auto& [name, node] : names) {
      const std::set<sim::DiskImage> below = of(node, path.empty() ? name : path + "/" + name);
      if (too_many_ || states.size() * below.size() > count_max_) {
        too_many_ = true;
        return states;
      }
      std::set<sim::DiskImage> products;
      for (const sim::DiskImage& state : states)
        for (const sim::DiskImage& part : below) {
          sim::DiskImage whole = state;
          whole.insert(part.begin(), part.end());
          products.insert(std::move(whole));
        }
      states = std::move(products);
    }
    return states;
  }

  const std::map<std::size_t, Stored>& disk_;
  const std::size_t count_max_;
  bool too_many_ = false;
};

}  // namespace

std::size_t RecordingCalls::node_at(const std::string& path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? kNothing : found->second;
}

RecordedCall RecordingCalls::of_name(Kind kind, const std::string& path) const {
  const std::size_t end = path.rfind('/');
  const std::string folder = end == std::string::npos ? "." : path.substr(0, end);
  return {.kind = kind,
          .node = node_at(path),
          .folder = node_at(folder),
          .name = end == std::string::npos ? path : path.substr(end + 1)};
}

int RecordingCalls::openat(int folder, const char* path, int flags, mode_t mode) {
  const int file = PosixCalls::openat(folder, path, flags, mode);
  const std::lock_guard hold(lock_);
  if (file < 0 || folder == AT_FDCWD) return file;
  if (node_at(path) == kNothing) {
    RecordedCall made = of_name(Kind::create, path);
    made.node = nodes_[path] = next_++;
    record(std::move(made));
  }
  open_[file] = node_at(path);
  return file;
}

int RecordingCalls::close(int file) {
  const std::lock_guard hold(lock_);
  open_.erase(file);
  return PosixCalls::close(file);
}

ssize_t RecordingCalls::pwritev(int file, const iovec* parts, int count, off_t offset) {
  const ssize_t written = PosixCalls::pwritev(file, parts, count, offset);
  if (written <= 0) return written;
  const std::lock_guard hold(lock_);
  Bytes bytes;
  for (int i = 0; i < count; ++i)
    append(bytes, {static_cast<const std::byte*>(parts[i].iov_base), parts[i].iov_len});
  bytes.resize(static_cast<std::size_t>(written));
  record({.kind = Kind::write,
          .node = open_.at(file),
          .offset = static_cast<std::uint64_t>(offset),
          .bytes = std::move(bytes)});
  return written;
}

int RecordingCalls::fdatasync(int file) {
  const int done = PosixCalls::fdatasync(file);
  if (done == 0) sync(file);
  return done;
}

int RecordingCalls::fsync(int file) {
  const int done = PosixCalls::fsync(file);
  if (done == 0) sync(file);
  return done;
}

void RecordingCalls::sync(int file) {
  const std::lock_guard hold(lock_);
  const std::size_t node = open_.at(file);
  record({.kind = Kind::sync, .node = node});
  record({.kind = Kind::sync_folder, .node = node});
}

int RecordingCalls::ftruncate(int file, off_t size) {
  const int done = PosixCalls::ftruncate(file, size);
  const std::lock_guard hold(lock_);
  if (done == 0)
    record(
        {.kind = Kind::resize, .node = open_.at(file), .size = static_cast<std::uint64_t>(size)});
  return done;
}

int RecordingCalls::fallocate(int file, off_t offset, off_t size) {
  const int done = PosixCalls::fallocate(file, offset, size);
  const std::lock_guard hold(lock_);
  if (done == 0)
    record({.kind = Kind::grow,
            .node = open_.at(file),
            .size = static_cast<std::uint64_t>(offset + size)});
  return done;
}

int RecordingCalls::renameat(int folder, const char* from, const char* to) {
  const int done = PosixCalls::renameat(folder, from, to);
  const std::lock_guard hold(lock_);
  if (done != 0) return done;
  RecordedCall call = of_name(Kind::rename, from);
  call.new_name = of_name(Kind::rename, to).name;
  nodes_.erase(from);
  nodes_[to] = call.node;
  record(std::move(call));
  return done;
}

int RecordingCalls::unlinkat(int folder, const char* path, int flags) {
  const int done = PosixCalls::unlinkat(folder, path, flags);
  const std::lock_guard hold(lock_);
  if (done != 0) return done;
  record(of_name(Kind::remove, path));
  nodes_.erase(path);
  return done;
}

int RecordingCalls::mkdirat(int folder, const char* path, mode_t mode) {
  const int done = PosixCalls::mkdirat(folder, path, mode);
  const std::lock_guard hold(lock_);
  if (done != 0) return done;
  RecordedCall made = of_name(Kind::create, path);
  made.node = nodes_[path] = next_++;
  made.is_folder = true;
  record(std::move(made));
  return done;
}

std::vector<RecordedCall> RecordingCalls::calls() const {
  const std::lock_guard hold(lock_);
  return calls_;
}

std::size_t RecordingCalls::size() const {
  const std::lock_guard hold(lock_);
  return calls_.size();
}

std::set<sim::DiskImage> states_after_power_loss(const std::vector<RecordedCall>& calls,
                                                 std::size_t count_max) {
  std::map<std::size_t, Stored> disk;
  disk[0].is_folder = true;
  for (const RecordedCall& call : calls) replay(disk, call);
  States states(disk, count_max);
  std::set<sim::DiskImage> all = states.of(0, "");
  return states.too_many() ? std::set<sim::DiskImage>() : all;
}

}  // namespace tubing::test
