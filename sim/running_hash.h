// RunningHash: 128 bits over all that a simulation did. RunHash feeds it what happens.
#pragma once

#include <bit>
#include <string>
#include <string_view>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/scheduler.h"

namespace tubing::sim {

class TraceSink;

/// A running hash over 64-bit words, alike on every machine. It guards against accident, not
/// against an adversary.
///
/// Each of its two lanes is a bijection of its state for a given word, and of the word for a given
/// state: two runs that differ in exactly one word always end with different hashes, and two that
/// differ in more do so but for a chance of about 2^-128.
///
/// Source: the multipliers and the two mixing functions are those of splitmix64 (Stafford's variant
/// 13) and of MurmurHash3 (fmix64); a word takes the first half of each, the result the whole.
class RunningHash {
 public:
  void add(std::uint64_t word) {
    // The added constants keep a zero word from leaving a zero state where it is.
    high_ = ((high_ + 0x9e3779b97f4a7c15) ^ word) * 0xbf58476d1ce4e5b9;
    high_ ^= high_ >> 30;
    low_ = ((std::rotl(low_, 29) + 0xd1b54a32d192ed03) ^ std::rotl(word, 32)) * 0xff51afd7ed558ccd;
    low_ ^= low_ >> 33;
  }
  /// The length, then the bytes in words of eight, least significant first, zeros behind the last.
  void add(ByteView bytes);
  void add(std::string_view text) { add(as_bytes(text)); }

  std::uint64_t high() const;
  std::uint64_t low() const;
  /// 32 hexadecimal digits.
  std::string text() const;
  friend bool operator==(const RunningHash&, const RunningHash&) = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

/// The hash of one run: over the time, strand, and operation of every resumption, and over every
/// event that a part of the simulator reports.
class RunHash final : public ResumeObserver {
 public:
  /// Resumptions without time passing, after which the run is taken for a loop that never ends.
  static constexpr std::uint64_t kResumptionsPerInstantMax = 10'000'000;
  /// Whose turn it is where it is no process's: the world's, or that of a run without a World.
  static constexpr std::uint64_t kNobody = ~std::uint64_t{0};

  void on_resume(Time now, const tubing::detail::Strand& strand) override;
  /// The same in a World: of which process, and where its stream of order is.
  void on_resume_of(std::uint64_t process, Time now, const tubing::detail::Strand& strand,
                    std::uint64_t position);
  /// Something else happened: `kind` to `subject`, with what it carried.
  void on_event(Time now, std::string_view kind, std::uint64_t subject, ByteView payload = {});

  /// Shows every event to `sink`, which outlives the run; null: nobody. The hash stays the same.
  void trace_to(TraceSink* sink) { sink_ = sink; }
  /// For the trace: whose turn what follows belongs to.
  void set_turn(std::uint64_t process) { turn_ = process; }

  const RunningHash& hash() const { return hash_; }
  std::string text() const { return hash_.text(); }
  std::uint64_t resumptions() const { return resumptions_; }
  /// All that went into the hash, resumptions too.
  std::uint64_t events() const { return events_; }

 private:
  void show_resumption(Time now, const tubing::detail::Strand& strand) const;
  void show_event(Time now, std::string_view kind, std::uint64_t subject, ByteView payload) const;

  RunningHash hash_;
  TraceSink* sink_ = nullptr;
  std::uint64_t turn_ = kNobody;
  std::uint64_t events_ = 0;
  std::uint64_t resumptions_ = 0;
  std::uint64_t in_this_instant_ = 0;
  Time instant_{};
};

}  // namespace tubing::sim
