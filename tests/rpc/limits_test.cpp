// The numbers that a peer, an operator and a reader of the manual rely on.
#include <doctest/doctest.h>

#include "tubing/crypto/handshake.h"
#include "tubing/crypto/record.h"
#include "tubing/crypto/renewal.h"
#include "tubing/rpc/detail/receive_budget.h"
#include "tubing/rpc/node_limits.h"

using namespace tubing;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

}  // namespace

TEST_CASE("the limits of a session have the defaults that are documented") {
  const rpc::MuxLimits mux;
  CHECK(mux.early_items == 16);
  CHECK(mux.early_bytes == 16 * kKiB);
  CHECK(mux.frame_bytes_max == 16 * kKiB);
  CHECK(mux.flush_bytes_max == 256 * kKiB);
  CHECK(mux.outbox_bytes_max == kMiB);
  CHECK(mux.channel_outbox_bytes == 64 * kKiB);
  CHECK(mux.receive_bytes_max == 64 * kMiB);
  CHECK(mux.message_bytes_max == 16 * kMiB);
  CHECK(mux.window_bytes_min == 2 * kKiB);
  CHECK(mux.window_bytes_max == 256 * kKiB);
  CHECK(mux.pad_to_bytes == 0);
  CHECK(mux.channels_max == 1024);
}

TEST_CASE("the limits of a node have the defaults that are documented") {
  const rpc::NodeLimits node;
  CHECK(node.handshake_time_max == 5s);
  CHECK(node.session_age_max == 24h);
  CHECK(node.receive_bytes_max == 512 * kMiB);
  CHECK(node.warnings_per_second_max == 5);
  CHECK(crypto::kExpiryGrace == 60s);
  CHECK(crypto::kHandshakeMessageBytesMax == 4 * kKiB);
  CHECK(crypto::kHandshakeBytesMax == 8 * kKiB);
  CHECK(crypto::kRecordPlaintextBytesMax + crypto::kRecordTagBytes == 65'535);
}

TEST_CASE("the first grant of a channel is a 64th of what is free within its bounds") {
  rpc::detail::ReceiveBudget budget(64 * kMiB, nullptr);
  const auto grant = [&] { return budget.window(2 * kKiB, 256 * kKiB); };
  CHECK(grant() == 256 * kKiB);
  budget.change_window(0, 24 * kMiB);
  CHECK(grant() == 8 * kMiB / 64);
  budget.change_window(24 * kMiB, 32 * kMiB - 192 * kKiB);
  CHECK(grant() == 3 * kKiB);
  budget.change_window(32 * kMiB - 192 * kKiB, 32 * kMiB);
  CHECK(grant() == 2 * kKiB);
  budget.change_large(0, 32 * kMiB);
  budget.change_window(32 * kMiB, 0);
  CHECK(grant() == 256 * kKiB);
}
