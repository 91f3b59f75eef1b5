// Trace: the events of a run as they happen, for people to read and for runs to be compared.
#pragma once

#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"
#include "tubing/sim/running_hash.h"

namespace tubing::sim {

/// A text of at most N characters, kept in place; the rest is cut off.
template <std::size_t N>
class ShortText {
 public:
  void append(std::string_view text) {
    const std::size_t taken = text.copy(bytes_.data() + size_, N - size_);
    size_ = static_cast<std::uint8_t>(size_ + taken);
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  static_assert(N <= 255);
  std::array<char, N> bytes_{};
  std::uint8_t size_ = 0;
};

/// The kind of event that is no report of a part of the simulator: a strand goes on.
inline constexpr std::string_view kResumptionKind = "resume";
/// A process starts; the payload is its name.
inline constexpr std::string_view kStartKind = "start";

/// One event, as it went into the hash.
struct TraceEvent {
  static constexpr std::size_t kKindBytesMax = 24;
  static constexpr std::size_t kPayloadBytesMax = 40;

  std::uint64_t number = 0;                  ///< From 1.
  Time at{};                                 ///< The world's time.
  std::uint64_t turn = RunHash::kNobody;     ///< The process in whose turn it happened.
  std::uint64_t subject = 0;                 ///< What it is depends on the kind.
  std::uint64_t payload_bytes = 0;           ///< Of the whole payload.
  RunningHash hash = {};                     ///< Behind it.
  ShortText<kKindBytesMax> kind = {};        ///< Its beginning.
  ShortText<kPayloadBytesMax> payload = {};  ///< Its beginning.
};

/// Whom a RunHash shows each event.
class TraceSink {
 public:
  virtual void on_event(const TraceEvent& event) = 0;

 protected:
  ~TraceSink() = default;
};

/// The names of processes, learned from the events that tell of their starts.
class TraceNames {
 public:
  void learn(const TraceEvent& event);
  /// "a/server", or "process 3", or "world".
  std::string who(const TraceEvent& event) const;

 private:
  std::map<std::uint64_t, std::string> names_;
};

/// One line, for people: number, time, whose turn, kind, subject, payload, hash.
std::string trace_line(const TraceEvent& event, const TraceNames& names);
/// The same as a JSON object on one line; a payload that is no text is given as hexadecimal digits.
std::string trace_json(const TraceEvent& event, const TraceNames& names);

/// Writes each event into a file as a line.
///
/// Owns: the file.
class TraceFile final : public TraceSink {
 public:
  /// A file whose name ends with ".jsonl" holds JSON, any other lines for people. Each line is
  /// written at once: a process that dies leaves all of them.
  /// Errors: failed_precondition where the file cannot be written, and why.
  static Result<TraceFile> create(const std::string& path);
  TraceFile(TraceFile&& other) noexcept;
  ~TraceFile();

  void on_event(const TraceEvent& event) override;
  /// Errors: resource_exhausted where not all of it could be written.
  Result<> close();

 private:
  TraceFile(std::FILE* file, std::string path, bool json)
      : file_(file), path_(std::move(path)), json_(json) {}

  std::FILE* file_;
  std::string path_;
  bool json_;
  TraceNames names_;
};

}  // namespace tubing::sim
