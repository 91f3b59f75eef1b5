// FileWorker: one strand of the scenario `files`, and its folder.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/channel/disk.h"
#include "tubing/sim/scenarios/disk_model.h"
#include "tubing/sim/scenarios/files.h"

namespace tubing::sim {

/// What the strands of one process share. The first fault stays.
struct FilesLife {
  channel::Disk& disk;
  DiskModel& model;
  FilesCounts& counts;
  std::string fault = {};
  bool stopping = false;  ///< No worker begins another step.
  std::size_t working = 0;

  void fail(std::string what) {
    if (fault.empty()) fault = std::move(what);
  }
  /// Whether `code` is one that an operation may end with; any else is a fault. Counts it.
  bool is_expected(Code code, const char* what, const std::string& path,
                   std::initializer_list<Code> faults);
};

/// Draws one step after the other and holds each answer against the model.
class FileWorker {
 public:
  FileWorker(FilesLife& life, std::string folder, Prng prng)
      : life_(life), folder_(std::move(folder)), prng_(prng) {}

  /// Ends when it is told to stop, or cancelled.
  Task<> run();

 private:
  struct Slot {
    channel::File file;
    std::string path;
    bool read_only = false;
  };
  static constexpr std::size_t kSlotsMax = 2;

  Task<> step();
  Task<> open();
  Task<> write(Slot& slot);
  Task<> resize(Slot& slot);
  Task<> sync(Slot& slot);
  Task<> read(Slot& slot);
  Task<> change_names();
  Task<> rename(std::string from, std::string to);
  Task<> sync_folder();
  Task<> look();
  Task<> close(std::string path);
  Task<> pause();

  Slot& any_slot() { return slots_[prng_.below(slots_.size())]; }
  std::string any_path();
  Slot* slot_of(const std::string& path);
  Bytes random_bytes(std::size_t size);

  FilesLife& life_;
  const std::string folder_;
  Prng prng_;
  std::vector<Slot> slots_;
  bool folder_failed_ = false;  ///< Its sync_dir failed: none passes any more in this process.
};

}  // namespace tubing::sim
