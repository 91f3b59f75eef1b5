#include "tubing/sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tubing::sim {
namespace {

constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

bool is_text(std::string_view payload) {
  return std::ranges::all_of(payload, [](char c) { return c >= ' ' && c <= '~'; });
}

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes)
    digits += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
  return digits;
}

std::string quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string payload_text(const TraceEvent& event) {
  const std::string_view payload = event.payload.text();
  if (event.payload_bytes == 0) return {};
  std::string text = is_text(payload) ? quoted(payload) : hexadecimal(payload);
  if (event.payload_bytes > payload.size())
    text += fmt::format("… ({} bytes)", event.payload_bytes);
  return text;
}

/// A pair of hosts is one number; it reads better as two.
std::string subject_text(std::uint64_t subject) {
  const std::uint64_t from = subject >> 32;
  return from == 0 ? fmt::format("{}", subject)
                   : fmt::format("{}:{}", from, static_cast<std::uint32_t>(subject));
}

std::string seconds(Time at) {
  const auto ns = static_cast<std::uint64_t>(at.time_since_epoch().count());
  return fmt::format("{}.{:09}", ns / kNanosecondsPerSecond, ns % kNanosecondsPerSecond);
}

}  // namespace

void TraceNames::learn(const TraceEvent& event) {
  if (event.kind.text() == kStartKind && event.payload_bytes > 0)
    names_[event.subject] = event.payload.text();
}

std::string TraceNames::who(const TraceEvent& event) const {
  if (event.turn == RunHash::kNobody) return "world";
  const auto found = names_.find(event.turn);
  return found == names_.end() ? fmt::format("process {}", event.turn) : found->second;
}

std::string trace_line(const TraceEvent& event, const TraceNames& names) {
  return fmt::format("{:>8} {:>14} {:<12} {:<10} {:<6} {} [{}]", event.number, seconds(event.at),
                     names.who(event), event.kind.text(), subject_text(event.subject),
                     payload_text(event), event.hash.text());
}

std::string trace_json(const TraceEvent& event, const TraceNames& names) {
  const std::string_view payload = event.payload.text();
  const bool text = is_text(payload);
  return fmt::format(
      R"({{"number":{},"ns":{},"who":{},"kind":{},"subject":{},"bytes":{},"{}":{},"hash":"{}"}})",
      event.number, event.at.time_since_epoch().count(), quoted(names.who(event)),
      quoted(event.kind.text()), event.subject, event.payload_bytes, text ? "text" : "hex",
      text ? quoted(payload) : quoted(hexadecimal(payload)), event.hash.text());
}

Result<TraceFile> TraceFile::create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr)
    return Error(Code::failed_precondition, "trace",
                 fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  std::setvbuf(file, nullptr, _IOLBF, BUFSIZ);
  return TraceFile(file, path, path.ends_with(".jsonl"));
}

TraceFile::TraceFile(TraceFile&& other) noexcept
    : file_(std::exchange(other.file_, nullptr)),
      path_(std::move(other.path_)),
      json_(other.json_),
      names_(std::move(other.names_)) {}

TraceFile::~TraceFile() {
  if (file_ != nullptr) std::fclose(file_);
}

void TraceFile::on_event(const TraceEvent& event) {
  names_.learn(event);
  std::string line = json_ ? trace_json(event, names_) : trace_line(event, names_);
  line += '\n';
  // Whether all was written, `close` tells.
  std::fwrite(line.data(), 1, line.size(), file_);
}

Result<> TraceFile::close() {
  std::FILE* file = std::exchange(file_, nullptr);
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed)
    return Error(Code::resource_exhausted, "trace",
                 fmt::format("{} could not be written to its end: is the disk full?", path_));
  return {};
}

}  // namespace tubing::sim
