// DiskTree: the names of a simulated disk, as they are seen and as they are stored.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tubing/channel/base/error.h"
#include "tubing/channel/base/prng.h"
#include "tubing/sim/detail/disk_file.h"

namespace tubing::sim::detail {

/// Names a file or a folder; never given twice by one disk. 0 names none.
using NodeId = std::uint64_t;

/// One change of a folder's names that no sync_dir has covered yet.
struct NameChange {
  ChangeId id = 0;
  /// Each name and what it means from now on; 0: nothing.
  std::vector<std::pair<std::string, NodeId>> names;
  /// What had a name before or has one now. Changes with a name or a node in common stay in order.
  std::vector<NodeId> nodes;
};

struct DiskFolder {
  std::map<std::string, NodeId, std::less<>> seen;
  std::map<std::string, NodeId, std::less<>> stored;
  std::deque<NameChange> unsynced;
};

struct DiskNode {
  std::unique_ptr<DiskFile> file;  ///< Null for a folder.
  DiskFolder folder;
  std::uint64_t holders = 0;    ///< Names, seen and stored; changes; open files.
  std::uint64_t locked_by = 0;  ///< Which opening of it; 0: none.
  std::uint64_t failed_syncs = 0;
};

/// Files and folders by path. A node lives while a name, a change or an open file refers to it.
class DiskTree {
 public:
  static constexpr NodeId kRoot = 1;

  /// Where a path leads. `code` says why it does not: not_found, or invalid_argument where a file
  /// stands in the way. `node` is 0 where only the last name is missing.
  struct Place {
    Code code = Code::ok;
    NodeId folder = 0;
    std::string_view name = {};
    NodeId node = 0;
  };

  DiskTree();

  Place find(std::string_view path) const;
  DiskNode* node(NodeId id);
  const DiskNode* node(NodeId id) const;
  bool is_folder(NodeId id) const { return !node(id)->file; }
  const std::map<NodeId, DiskNode>& nodes() const { return nodes_; }
  /// The path by which `id` is seen now; empty where it has none.
  std::string path_of(NodeId id) const;
  /// As path_of; what has no name is told by its number.
  std::string told_path(NodeId id) const;

  /// Requires: nothing has that name; `place.code` is ok.
  NodeId create(const Place& place, bool is_folder, ChangeId change);
  /// Requires: `from.node` is there, and the folders are one.
  /// Returns: ok, invalid_argument or failed_precondition as Disk says.
  Code rename(const Place& from, const Place& to, ChangeId change);
  Code remove(const Place& place, ChangeId change);
  /// Stores the changes up to `covered`.
  void sync_folder(NodeId folder, ChangeId covered);

  /// Room on the disk, in blocks of kPageBytes: one for each file and folder, and a file's pages.
  std::uint64_t blocks_used() const { return blocks_used_; }
  void take_room(NodeId id, std::uint64_t first_page, std::uint64_t end_page);
  void cut_room(NodeId id, std::uint64_t first_page);

  /// Nothing but the root is left.
  void wipe();

  void hold(NodeId id) { ++node(id)->holders; }
  void release(NodeId id);

  /// What is stored, and a part of the rest, is all that remains. `survives` draws for a change of
  /// what the path means.
  /// Requires: no file is open. Returns: how many changes were lost.
  std::uint64_t lose_power(const std::function<bool(const std::string& path)>& survives);

 private:
  void change(NodeId folder, NameChange change);
  void store(DiskFolder& folder, const NameChange& change);
  void set(std::map<std::string, NodeId, std::less<>>& names, const std::string& name, NodeId to);
  void let_go(const NameChange& change);
  std::string path_below(NodeId folder, NodeId id) const;

  std::map<NodeId, DiskNode> nodes_;
  NodeId next_ = kRoot + 1;
  std::uint64_t blocks_used_ = 0;
};

}  // namespace tubing::sim::detail
