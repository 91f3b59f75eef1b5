#include "tubing/sim/scenarios/register_disk.h"

#include <algorithm>
#include <optional>

#include "tubing/channel/codec.h"

namespace tubing::sim {
namespace {

using channel::kSectorBytes;
constexpr std::size_t kHeadBytes = 16;

std::uint64_t read_number(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return value;
}

void write_number(std::span<std::byte> bytes, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
}

/// FNV-1a, with the offset of its authors: enough against sectors that are mixed.
std::uint64_t checksum(ByteView bytes) {
  std::uint64_t sum = 0xcbf29ce484222325;
  for (const std::byte b : bytes) sum = (sum ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3;
  return sum;
}

/// A sector: a checksum over the rest, how long the entry is, and the entry.
Bytes sector_of(const RegisterEntry& entry) {
  ByteBuffer encoded;
  encode(entry, encoded);
  Bytes sector(kSectorBytes);
  TUBING_ASSERT(kHeadBytes + encoded.size() <= kSectorBytes, encoded.size());
  const std::span<std::byte> bytes(sector);
  write_number(bytes.subspan(8), encoded.size());
  std::ranges::copy(encoded.view(), bytes.subspan(kHeadBytes).begin());
  write_number(bytes, checksum(bytes.subspan(8)));
  return sector;
}

/// None for a sector that was never written, or not whole.
std::optional<RegisterEntry> entry_in(ByteView sector) {
  if (sector.size() < kSectorBytes) return std::nullopt;
  const std::uint64_t size = read_number(sector.subspan(8));
  if (read_number(sector) != checksum(sector.subspan(8)) || size > kSectorBytes - kHeadBytes)
    return std::nullopt;
  RegisterEntry entry;
  if (!decode(sector.subspan(kHeadBytes, size), entry)) return std::nullopt;
  return entry;
}

}  // namespace

Task<> RegisterDisk::open() {
  file_ = co_await ok(disk_.open("register", channel::OpenMode::create));
  const std::size_t bytes = place(static_cast<std::uint32_t>(slots_.size()), 0);
  if (co_await ok(file_.size()) < bytes) co_await ok(file_.write(0, Bytes(bytes)));
  const Bytes content = co_await ok(file_.read(0, bytes));
  for (std::uint32_t key = 0; key < slots_.size(); ++key) {
    Slot& slot = slots_[key];
    for (const std::size_t sector : {0, 1}) {
      const std::uint64_t at = place(key, sector);
      if (content.size() < at + kSectorBytes) continue;
      auto found = entry_in(ByteView(content).subspan(at, kSectorBytes));
      if (found && found->tag > slot.entry.tag)
        slot = {.entry = *std::move(found), .newer = sector};
    }
    if (slot.entry.tag.counter > 0)
      co_await ok(file_.write(place(key, slot.newer), sector_of(slot.entry)));
  }
  co_await ok(file_.sync());
  co_return co_await disk_.sync_dir("");
}

Task<> RegisterDisk::write(std::uint32_t key, RegisterEntry entry, bool sync) {
  Slot& slot = slots_[key];
  const std::size_t sector = 1 - slot.newer;
  co_await ok(file_.write(place(key, sector), sector_of(entry)));
  if (sync) co_await ok(file_.sync());
  slot = {.entry = std::move(entry), .newer = sector};
  co_return {};
}

}  // namespace tubing::sim
