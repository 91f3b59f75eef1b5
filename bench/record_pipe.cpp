#include "record_pipe.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "loopback.h"
#include "tubing/crypto/record.h"

namespace tubing::bench {
namespace {

using crypto::kRecordBytesMax;
using crypto::kRecordHeaderBytes;
using crypto::kRecordPlaintextBytesMax;

/// As much as a session seals in one flush.
constexpr std::size_t kRecordsEachWrite = 4;

crypto::CipherState keyed(crypto::Cipher cipher) {
  const std::vector<std::byte> key(crypto::kCipherKeyBytes, std::byte{7});
  crypto::CipherState state(cipher);
  state.initialize_key(key);
  return state;
}

void seal_all(int socket, crypto::Cipher cipher, std::uint64_t records) {
  crypto::RecordSealer sealer(keyed(cipher));
  std::vector<std::byte> buffer(kRecordsEachWrite * kRecordBytesMax);
  const std::vector<std::byte> value(kRecordPlaintextBytesMax, std::byte{1});
  for (std::uint64_t done = 0; done < records; done += kRecordsEachWrite) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < kRecordsEachWrite; ++i) {
      const MutableBytes room = MutableBytes(buffer).subspan(size);
      std::memcpy(room.data() + kRecordHeaderBytes, value.data(), value.size());
      size += *sealer.seal(room, value.size());
    }
    send_all(socket, buffer.data(), size);
  }
}

/// Returns how many bytes were opened.
std::uint64_t open_all(int socket, crypto::Cipher cipher, std::uint64_t records) {
  crypto::RecordOpener opener(keyed(cipher));
  std::vector<std::byte> buffer(kRecordsEachWrite * kRecordBytesMax);
  std::size_t held = 0;
  std::uint64_t bytes = 0;
  for (std::uint64_t done = 0; done < records;) {
    const ssize_t got = ::recv(socket, buffer.data() + held, buffer.size() - held, 0);
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
    std::size_t used = 0;
    while (auto opened = *opener.open(MutableBytes(buffer).subspan(used, held - used))) {
      bytes += opened->plaintext.size();
      used += opened->consumed;
      ++done;
    }
    std::memmove(buffer.data(), buffer.data() + used, held - used);
    held -= used;
  }
  return bytes;
}

}  // namespace

double record_pipe_gb_per_s(crypto::Cipher cipher, std::uint64_t bytes) {
  const std::uint64_t records =
      bytes / kRecordPlaintextBytesMax / kRecordsEachWrite * kRecordsEachWrite;
  Loopback sockets;
  const auto begin = std::chrono::steady_clock::now();
  std::thread sender([&] { seal_all(sockets.near, cipher, records); });
  const std::uint64_t opened = open_all(sockets.far, cipher, records);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  sender.join();
  if (opened != records * kRecordPlaintextBytesMax) {
    fmt::print(stderr, "the record pipe lost bytes: {} of {} came\n", opened,
               records * kRecordPlaintextBytesMax);
    std::exit(1);
  }
  return static_cast<double>(opened) / 1e9 / spent.count();
}

}  // namespace tubing::bench
