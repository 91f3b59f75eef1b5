// LineReader: the words of a text file for people, line by line, without comments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/detail/small_file.h"

namespace tubing::crypto::detail {

/// Goes through the lines of a text that have words. A '#' begins a comment; blanks part the words.
class LineReader {
 public:
  /// `text` outlives the reader.
  explicit LineReader(std::string_view text) : rest_(text) {}

  /// Goes to the next line with words. Returns false at the end.
  bool next();
  /// The number of the line, from 1 on, for errors.
  int number() const { return number_; }
  /// Borrowed until next(); at least one.
  const std::vector<std::string_view>& words() const { return words_; }
  /// The rest of the words from `first` on, as roles are written: sorted, and each once.
  std::vector<std::string> sorted_words(std::size_t first) const;
  /// The error for this line.
  Error error(std::string_view what) const;

 private:
  std::string_view rest_;
  std::vector<std::string_view> words_;
  int number_ = 0;
};

/// Reads a whole text.
/// Errors: as read_small_file(), with how long the file may be.
Result<std::string> read_text_file(const std::string& path, Readers readers,
                                   std::size_t file_bytes_max);

/// `error` with the file's name before its text.
Error in_file(const std::string& path, const Error& error);

/// The folder in which the file lies.
std::string folder_of(const std::string& path);

/// `text` with whole lines behind it; what people wrote in it stays as it is.
std::string with_lines(std::string text, std::string_view lines);

}  // namespace tubing::crypto::detail
