// OutputFile: a file that a command writes when it is done, and that was open before it began.
#pragma once

#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"

namespace tubing::cli {

/// A file that is there already stays as it is until it is written. One that is not there is gone
/// again where nothing was written, since an empty file could be a schedule; a program that is
/// killed leaves it.
///
/// Owns: the file descriptor.
class OutputFile {
 public:
  /// Errors: invalid_argument, with advice: it cannot be written.
  static Result<OutputFile> open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) = delete;
  ~OutputFile();

  const std::string& path() const { return path_; }
  /// Whether `path` is the same file, whatever either is called. What only passes bytes on, as
  /// /dev/null or a pipe, is no such file.
  bool is_also(const std::string& path) const;
  /// Puts `content` in the place of what it held, and closes it.
  /// Errors: invalid_argument, with advice: not all of it could be written.
  Result<> write(std::string_view content);
  /// Somebody else has written it: it stays.
  void keep() { made_ = false; }

 private:
  OutputFile(int file, std::string path, bool made)
      : file_(file), path_(std::move(path)), made_(made) {}

  int file_;
  std::string path_;
  bool made_;  ///< It was not there before, and nothing is in it.
};

/// Writes a file. Errors: as OutputFile.
Result<> write_text(const std::string& path, std::string_view content);

}  // namespace tubing::cli
