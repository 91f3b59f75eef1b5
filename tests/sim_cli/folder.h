// Folder: an empty folder in which a test runs tubesim.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/tube/process.h"

namespace tubing::cli {

/// Of this process alone: builds may run their tests at the same time.
inline const std::filesystem::path kFolder =
    TUBING_BINARY_DIR "/sim_cli_test_" + std::to_string(::getpid());

/// There is one at a time.
struct Folder {
  Folder() {
    std::filesystem::remove_all(kFolder);
    std::filesystem::create_directories(kFolder);
  }
  ~Folder() { std::filesystem::remove_all(kFolder); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

/// Runs it in the folder, through a shell, so that `''` is an empty word.
inline Finished tubesim_in_folder(const std::string& arguments) {
  return run_process(
      {"/bin/sh", "-c", "cd " + kFolder.string() + " && " TUBESIM_PROGRAM " " + arguments}, {});
}

/// Of a file in the folder.
inline std::string content_of(const std::string& name) {
  std::stringstream content;
  content << std::ifstream(kFolder / name).rdbuf();
  return content.str();
}

}  // namespace tubing::cli
