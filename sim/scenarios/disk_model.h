// DiskModel: what may be on a disk, by the contract of channel::Disk alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tubing/channel/disk.h"
#include "tubing/sim/disk_image.h"

namespace tubing::sim {

/// One operation that may change something, as a program asks for it.
struct DiskStep {
  channel::DiskOperation operation = channel::DiskOperation::write;
  std::string path;
  std::string target = {};   ///< Of rename.
  std::uint64_t offset = 0;  ///< Of write and preallocate.
  std::uint64_t length = 0;  ///< Of preallocate; the size of truncate.
  Bytes bytes = {};          ///< Of write.
};

/// Told what a program does, it knows what may be seen, and what a power loss may leave: for each
/// sector every content that is possible, for each file a range of sizes, for each folder every set
/// of names. Everything else is a broken promise of the disk.
///
/// A program tells `begin` as it submits a step and `end` once it has seen it complete. Steps of
/// one file, and those of the names of one folder, come one after another. `open` is a step where
/// it creates; `sync` and `sync_dir` are steps.
///
/// Copies are independent: a copy is the knowledge of that moment.
class DiskModel {
 public:
  using StepId = std::uint64_t;
  /// More changes of one folder that no sync_dir covers make too many sets of names.
  static constexpr std::size_t kUnsyncedNamesMax = 8;

  StepId begin(DiskStep step);
  /// `code` is how it ended; anything but ok leaves open how much of it happened.
  void end(StepId id, Code code);

  /// The process is gone: what was under way may have happened.
  void end_process();
  /// Holds what is found against what must be seen after `end_process`; it is known from then on.
  /// Returns: what is wrong; empty for nothing. The same below.
  std::string find_after_crash(const DiskImage& found);
  /// Whether the power may leave this, if it goes now. Requires: `end_process` was told.
  std::string may_remain(const DiskImage& found) const;
  /// What is found after a power loss, with all that it holds: it is durable.
  void adopt(const DiskImage& found);

  /// What a read saw. `length` is what it asked for.
  std::string check_read(const std::string& path, std::uint64_t offset, std::size_t length,
                         const Bytes& seen) const;
  std::string check_size(const std::string& path, std::uint64_t size) const;
  std::string check_list(const std::string& folder,
                         const std::vector<channel::DiskEntry>& entries) const;
  bool exists(const std::string& path) const;
  /// Bytes that a fault of the disk spoilt: they may be anything until they are written again.
  /// Without a path: of some file that is seen nowhere, and may yet come back.
  void damage(const std::string& path, std::uint64_t offset, std::uint64_t length);

  /// Changes of the folder's names that no sync_dir has covered.
  std::size_t unsynced_names(const std::string& folder) const;
  /// Sectors that were compared with few enough contents to mean something.
  std::uint64_t sectors_checked() const { return sectors_checked_; }

 private:
  using Node = std::uint64_t;
  using Names = std::map<std::string, Node>;

  /// What a sector may hold.
  struct Contents {
    std::set<Bytes> possible;
    bool anything = false;
  };
  struct Sector {
    Contents seen;
    Contents stored;
  };
  struct Sizes {
    std::uint64_t min = 0;
    std::uint64_t max = 0;
  };
  struct FileChange {
    std::uint64_t id = 0;
    channel::DiskOperation operation = channel::DiskOperation::write;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    Bytes bytes;
    bool certain = true;
  };
  struct FileState {
    std::map<std::uint64_t, Sector> sectors;
    Sizes seen;
    Sizes stored;
    std::vector<FileChange> unsynced;
  };
  struct NameChange {
    std::uint64_t id = 0;
    std::vector<std::pair<std::string, Node>> names;  ///< 0: no longer there.
    std::vector<Node> nodes;
    bool certain = true;
  };
  struct FolderState {
    Names seen;
    Names stored;
    std::vector<NameChange> unsynced;
  };
  struct UnderWay {
    DiskStep step;
    Node node = 0;  ///< The file, or the folder whose names it changes or syncs.
    std::uint64_t covered = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> damaged;  ///< Meanwhile: offset, length.
  };
  /// An image by folder, and the question that is asked of it.
  struct View {
    View(const DiskImage& found, bool power);
    const DiskImage& image;
    bool power_lost;
    std::map<std::string, std::set<std::string>> names;  ///< Those in a folder, by its path.
  };
  static constexpr Node kRoot = 1;

  static Contents applied(const FileChange& change, std::uint64_t index, const Contents& before,
                          bool certain);
  static Sizes applied(const FileChange& change, Sizes before, bool certain);
  static bool touches(const FileChange& change, std::uint64_t index);
  static Contents zeros();
  static void change_file(FileState& file, FileChange change);
  static void sync_file(FileState& file, std::uint64_t covered, bool certain);
  static std::vector<Names> names_after_power_loss(const FolderState& folder);
  static std::vector<Names> names_after_crash(const FolderState& folder);
  static void change_names(FolderState& folder, NameChange change);

  void apply(const UnderWay& under_way, bool certain);
  void apply_names(const UnderWay& under_way, bool certain);
  void spoil(Node node, std::uint64_t offset, std::uint64_t length);
  Node find(const std::string& path) const;
  Node folder_of(const std::string& path) const;
  std::set<Node> nameless() const;
  std::set<Node> files_called(const std::string& path) const;
  std::string match_folder(Node node, const std::string& prefix, const View& view) const;
  std::string match_names(const Names& names, const std::string& prefix, const View& view) const;
  std::string match_file(const FileState& file, const Bytes& found, bool power_lost) const;
  std::string match_sector(const FileState& file, std::uint64_t index, ByteView found,
                           bool power_lost) const;
  std::string settle_names(Node node, const std::string& prefix, const View& view);

  std::map<Node, FileState> files_;
  std::map<Node, FolderState> folders_{{kRoot, {}}};
  std::map<StepId, UnderWay> under_way_;
  Node next_node_ = kRoot + 1;
  StepId next_step_ = 1;
  std::uint64_t last_change_ = 0;
  mutable std::uint64_t sectors_checked_ = 0;
};

}  // namespace tubing::sim
