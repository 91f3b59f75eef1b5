// HistoryFile: a recorded history in a file of its own, for `tubesim check`.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tests/tube/process.h"

namespace tubing::cli {

/// Its name is its process's own. One at a time has the same text.
class HistoryFile {
 public:
  explicit HistoryFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("tubing-history-" + std::to_string(::getpid()) + "-" +
               std::to_string(std::hash<std::string>()(text)))) {
    std::ofstream(path_) << text;
  }
  ~HistoryFile() { std::filesystem::remove(path_); }
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;

  Finished check(std::vector<std::string> options) const {
    options.insert(options.begin(), {TUBESIM_PROGRAM, "check", path_});
    return run_process(options, {});
  }

 private:
  std::string path_;
};

}  // namespace tubing::cli
