// Two Muxes under two applications that do anything: neither refuses the other, what arrives is a
// prefix of what was sent, and in the end everything is forgotten.
#include <deque>

#include "tests/fuzz/mux_app.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"

namespace tubing::fuzz {
namespace {

constexpr int kRoundsMax = 2000;

struct End {
  explicit End(rpc::Side side) : app(side) {}

  void flush(std::size_t record_bytes) {
    for (Bytes& record : app.flush(record_bytes)) under_way.push_back(std::move(record));
  }

  MuxApp app;
  std::deque<Bytes> under_way;  ///< Records that this side made.
};

/// The oldest record of `from` arrives. Returns: whether there was one.
bool deliver(End& from, End& to) {
  if (from.under_way.empty()) return false;
  const Result<> taken = to.app.mux.on_record(from.under_way.front());
  TUBING_ASSERT(taken.has_value(), taken.error().text());
  from.under_way.pop_front();
  return true;
}

/// Until nobody has anything to say.
void settle(End& a, End& b) {
  for (int round = 0; round < kRoundsMax; ++round) {
    a.flush(2000);
    b.flush(2000);
    if (a.under_way.empty() && b.under_way.empty()) return;
    while (deliver(a, b) || deliver(b, a)) {
    }
    a.app.take_all();
    b.app.take_all();
  }
  TUBING_ASSERT(false, "the two sides never come to rest");
}

void run(ByteView input) {
  Input in(input);
  End a(rpc::Side::dialler);
  End b(rpc::Side::listener);
  a.app.peer = &b.app;
  b.app.peer = &a.app;
  while (!in.empty()) {
    const unsigned op = in.byte() % 16;
    End& end = op % 2 == 0 ? a : b;
    End& other = op % 2 == 0 ? b : a;
    if (op < 8) {
      end.app.act(in);
    } else if (op < 12) {
      end.flush(in.byte() * 16u);
    } else {
      deliver(end, other);
    }
  }
  settle(a, b);
  a.app.release_all();
  b.app.release_all();
  settle(a, b);
  // After the last frame of a side the other waits in vain for its close.
  if (a.app.mux.is_done() || b.app.mux.is_done()) return;
  TUBING_ASSERT(a.app.mux.channels() == 0, a.app.mux.channels());
  TUBING_ASSERT(b.app.mux.channels() == 0, b.app.mux.channels());
}

/// Both sides' settings arrive.
Script begun() { return Script().byte(8).byte(0).byte(9).byte(0).byte(12).byte(13); }

Script act(Script script, std::size_t side, std::size_t what) {
  return script.byte(side).byte(what);
}
/// What one side said reaches the other.
Script move(Script script, std::size_t side) {
  return script.byte(8 + side).byte(40).byte(12 + side).byte(12 + side);
}

std::vector<Bytes> seeds() {
  const Script opened = move(act(begun(), 0, 0).byte(5), 0);
  const Script served = move(act(opened, 1, 5).byte(0).byte(3), 1);
  const Script sent = move(act(served, 0, 14).byte(0).byte(200), 0);
  const Script large = move(act(served, 0, 13).byte(0).word(20'000), 0);
  return {opened,
          sent,
          move(act(act(sent, 1, 11).byte(0), 1, 14).byte(0).byte(9), 1),
          move(act(move(act(sent, 0, 9).byte(0), 0), 1, 9).byte(0), 1),
          move(move(large, 1), 0),
          move(act(large, 1, 10).byte(0), 1),
          move(act(sent, 1, 7).byte(0), 1),
          move(act(act(served, 0, 8).byte(0), 1, 8).byte(0), 0),
          move(act(act(opened, 1, 2).byte(0), 0, 3).byte(0), 1)};
}

}  // namespace

Target mux_pair_target() { return {"mux_pair", run, seeds}; }

}  // namespace tubing::fuzz
