#include "tubing/sim/running_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace tubing::sim {
namespace {

// What a word of the stream means, so that no resumption looks like an event.
constexpr std::uint64_t kResumed = 1;
constexpr std::uint64_t kHappened = 2;

std::uint64_t mix_as_splitmix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t mix_as_murmur(std::uint64_t z) {
  z = (z ^ (z >> 33)) * 0xff51afd7ed558ccd;
  z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53;
  return z ^ (z >> 33);
}

std::uint64_t load_word(ByteView bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return word;
}

std::uint64_t nanoseconds(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

void RunningHash::add(std::uint64_t word) {
  // The added constants keep a zero word from leaving a zero state where it is.
  high_ = mix_as_splitmix((high_ + 0x9e3779b97f4a7c15) ^ word);
  low_ = mix_as_murmur((std::rotl(low_, 29) + 0xd1b54a32d192ed03) ^ std::rotl(word, 32));
}

void RunningHash::add(ByteView bytes) {
  add(std::uint64_t{bytes.size()});
  while (!bytes.empty()) {
    const ByteView word = bytes.first(std::min(bytes.size(), sizeof(std::uint64_t)));
    add(load_word(word));
    bytes = bytes.subspan(word.size());
  }
}

std::string RunningHash::text() const { return fmt::format("{:016x}{:016x}", high_, low_); }

void RunHash::on_resume(Time now, const tubing::detail::Strand& strand) {
  if (now != instant_) in_this_instant_ = 0;
  instant_ = now;
  ++in_this_instant_;
  TUBING_ASSERT(in_this_instant_ < kResumptionsPerInstantMax && "strands run, time stands still",
                strand.name, strand.operation);
  ++resumptions_;
  hash_.add(kResumed);
  hash_.add(nanoseconds(now));
  hash_.add(strand.id);
  hash_.add(std::string_view(strand.name));
  hash_.add(std::string_view(strand.operation));
}

void RunHash::on_resume_of(std::uint64_t process, Time now, const tubing::detail::Strand& strand,
                           std::uint64_t position) {
  hash_.add(process);
  hash_.add(position);
  on_resume(now, strand);
}

void RunHash::on_event(Time now, std::string_view kind, std::uint64_t subject, ByteView payload) {
  hash_.add(kHappened);
  hash_.add(nanoseconds(now));
  hash_.add(kind);
  hash_.add(subject);
  hash_.add(payload);
}

}  // namespace tubing::sim
