// StdioReader, StdioWriter: a descriptor that may be a terminal, a pipe, a socket or a file.
#pragma once

#include <functional>
#include <memory>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/channel/uv_reactor.h"

namespace tubing::channel {

/// Reads a descriptor, such as standard input, to its end. What the system can wait for is read
/// when it is ready; files are read on libuv's pool, one chunk at a time.
///
/// Terminals and pipes are opened anew, so that waiting for them leaves the mode of the user's
/// terminal, which other programs share, as it is; where that is refused the mode is restored.
///
/// Owns: the descriptor. It is closed at the end; in place of descriptors 0, 1 and 2 comes
/// /dev/null, so that what the process opens next does not become its standard input or output.
/// Threads: the reactor's alone.
class StdioReader {
 public:
  static constexpr std::size_t kChunkBytesMax = 64 * 1024;
  /// The bytes are lent for the call.
  using OnChunk = std::function<void(ByteView)>;
  using OnEnd = std::function<void(Result<>)>;

  /// Errors: invalid_argument where the descriptor is not open for reading. Then it is not taken.
  static Result<> check(int descriptor);
  static Result<std::unique_ptr<StdioReader>> make(UvReactor& reactor, int descriptor);
  /// No callback comes afterwards.
  ~StdioReader();

  /// Calls back from the loop: for each chunk, then once for the end. Each callback may drop the
  /// reader. Requires: called once.
  void start(OnChunk on_chunk, OnEnd on_end);
  /// Stops reading; one chunk that is already being read may still come.
  void pause();
  void resume();

 private:
  struct State;
  explicit StdioReader(State* state) : state_(state) {}

  State* state_;  ///< Freed from the loop, once libuv has let go of it.
};

/// Writes to a descriptor, such as standard output. Owns and Threads: as StdioReader.
class StdioWriter {
 public:
  using OnWritable = std::function<void()>;
  using OnError = std::function<void(Error)>;

  /// The callbacks come from the loop and may drop the writer. `on_error` is told once, and
  /// nothing comes after it: `stopped` where the reader of a pipe has gone, resource_exhausted
  /// where the disk is full, otherwise `unavailable` with the system's reason.
  /// Errors: invalid_argument where the descriptor is not open for writing. Then it is not taken.
  static Result<> check(int descriptor);
  static Result<std::unique_ptr<StdioWriter>> make(UvReactor& reactor, int descriptor,
                                                   OnWritable on_writable, OnError on_error);
  /// What is unfinished is given up. No callback comes afterwards.
  ~StdioWriter();

  /// Returns true where all bytes have left; otherwise they must stay where they are until
  /// `on_writable`, and no write may come before. After an error, true: there is nobody to write
  /// to.
  [[nodiscard]] bool write(ByteView bytes);
  /// Finishes what is unfinished, then closes. Idempotent; no write may follow.
  void close();

 private:
  struct State;
  explicit StdioWriter(State* state) : state_(state) {}

  State* state_;  ///< Freed from the loop, once libuv has let go of it.
};

}  // namespace tubing::channel
