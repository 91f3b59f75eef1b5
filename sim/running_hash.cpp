#include "tubing/sim/running_hash.h"

#include <fmt/format.h>

#include <cstring>

#include "tubing/sim/trace.h"

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

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

/// Least significant byte first.
template <class Word>
Word load(const std::byte* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

/// The same, of 1 to 7 bytes: reads that overlap are faster than a loop.
std::uint64_t load_tail(const std::byte* bytes, std::size_t size) {
  if (size >= 4)
    return load<std::uint32_t>(bytes) | std::uint64_t{load<std::uint32_t>(bytes + size - 4)}
                                            << (8 * (size - 4));
  const auto byte_at = [bytes](std::size_t i) {
    return std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  };
  return byte_at(0) | byte_at(size / 2) | byte_at(size - 1);
}

std::uint64_t nanoseconds(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

void RunningHash::add(ByteView bytes) {
  add(std::uint64_t{bytes.size()});
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kWordBytes; left -= kWordBytes, at += kWordBytes) add(load<std::uint64_t>(at));
  if (left > 0) add(load_tail(at, left));
}

std::uint64_t RunningHash::high() const { return mix_as_splitmix(high_); }
std::uint64_t RunningHash::low() const { return mix_as_murmur(low_); }

std::string RunningHash::text() const { return fmt::format("{:016x}{:016x}", high(), low()); }

void RunHash::on_resume(Time now, const tubing::detail::Strand& strand) {
  if (now != instant_) in_this_instant_ = 0;
  instant_ = now;
  ++in_this_instant_;
  TUBING_ASSERT(in_this_instant_ < kResumptionsPerInstantMax && "strands run, time stands still",
                strand.name, strand.operation);
  ++resumptions_;
  ++events_;
  hash_.add(kResumed);
  hash_.add(nanoseconds(now));
  hash_.add(strand.id);
  hash_.add(std::string_view(strand.name));
  hash_.add(std::string_view(strand.operation));
  if (sink_ != nullptr) [[unlikely]]
    show_resumption(now, strand);
}

void RunHash::on_resume_of(std::uint64_t process, Time now, const tubing::detail::Strand& strand,
                           std::uint64_t position) {
  hash_.add(process);
  hash_.add(position);
  on_resume(now, strand);
}

void RunHash::on_event(Time now, std::string_view kind, std::uint64_t subject, ByteView payload) {
  ++events_;
  hash_.add(kHappened);
  hash_.add(nanoseconds(now));
  hash_.add(kind);
  hash_.add(subject);
  hash_.add(payload);
  if (sink_ != nullptr) [[unlikely]]
    show_event(now, kind, subject, payload);
}

void RunHash::show_resumption(Time now, const tubing::detail::Strand& strand) const {
  TraceEvent event{.number = events_, .at = now, .turn = turn_, .subject = strand.id};
  event.hash = hash_;
  event.kind.append(kResumptionKind);
  event.payload.append(strand.name);
  event.payload.append(": ");
  event.payload.append(strand.operation);
  event.payload_bytes = event.payload.text().size();
  sink_->on_event(event);
}

void RunHash::show_event(Time now, std::string_view kind, std::uint64_t subject,
                         ByteView payload) const {
  TraceEvent event{.number = events_, .at = now, .turn = turn_, .subject = subject};
  event.hash = hash_;
  event.kind.append(kind);
  event.payload.append(as_text(payload));
  event.payload_bytes = payload.size();
  sink_->on_event(event);
}

}  // namespace tubing::sim
