// StderrWriter: standard error, printed to by a program that never waits for it.
#pragma once

#include <unistd.h>

#include <memory>
#include <string_view>
#include <thread>

#include "tubing/channel/base/time.h"

namespace tubing {

struct StderrLimits {
  /// A text is dropped while as many bytes wait already.
  std::size_t bytes_max = 64 * 1024;
  /// How long the end of the program waits for those who read.
  Duration end_time_max = std::chrono::seconds(1);
};

/// Prints texts in their order and each of them whole, from a thread of its own, which begins with
/// the first one. Whoever reads may stop for as long as he likes, as a terminal does by Ctrl-S:
/// what is beyond the limit is dropped, and a line in its place says how many lines that were. What
/// cannot be printed at all, because the reader has gone or the disk is full, is lost.
///
/// Only a thread is sound here. O_NONBLOCK belongs to the terminal or the pipe that other programs
/// share; who is not its owner cannot open it anew; and one that polls as writable takes a byte,
/// perhaps not a line, and no longer once another program has written.
///
/// Threads: any; lines of several threads do not mix.
class StderrWriter {
 public:
  explicit StderrWriter(StderrLimits limits = {}, int descriptor = STDERR_FILENO);
  /// Waits for what is not printed yet, for `end_time_max` at most. Where that is not enough the
  /// thread is left behind: it waits for a reader, and ends as soon as there is one or none.
  ~StderrWriter();
  StderrWriter(const StderrWriter&) = delete;
  StderrWriter& operator=(const StderrWriter&) = delete;

  /// Takes whole lines. Never waits.
  void print(std::string_view text);
  /// Whether all was printed.
  bool idle() const;

 private:
  struct State;

  // Shared: by the writer and its thread, which may outlive it; the state knows neither.
  const std::shared_ptr<State> state_;
  const Duration end_time_max_;
  std::thread thread_;
};

}  // namespace tubing
