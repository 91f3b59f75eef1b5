// FolderLock: lets one process at a time change the files of a key folder.
#pragma once

#include <string>

#include "tubing/channel/base/result.h"

namespace tubing::crypto {

/// The lock of a folder, an empty file `.lock` in it; given back when the owner dies.
class FolderLock {
 public:
  /// Waits for its turn: whoever holds the lock does no more than read and write small files.
  /// Errors: the system's own reason, with the file's name.
  static Result<FolderLock> take(const std::string& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace tubing::crypto
