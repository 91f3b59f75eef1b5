// A stranger's first program: channels in one process, and an identity from the crypto module. It
// must compile and link against nothing but tubing::tubing.
#include <cstdio>

#include "tubing/channel/go.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/program.h"

namespace {

using namespace tubing;

struct Ping {
  int number = 0;
  static constexpr std::string_view type_name = "consumer.Ping.v1";
  static constexpr auto fields = tubing::fields("number", &Ping::number);
};

Task<> count(Sender<Ping> tx) {
  for (int i = 1; i <= 4; ++i) co_await ok(tx.send(Ping{i}));
  tx.close();
  co_return {};
}

Task<> add_up() {
  co_return co_await nursery([](Nursery& n) -> Task<> {
    Channel<Ping> pings{2};
    n.spawn("count", count(pings));
    int sum = 0;
    while (auto ping = co_await pings.recv()) sum += ping->number;
    co_await ok(pings.end());
    if (sum != 10) co_return Error(Code::internal, "consumer", "the sum is wrong");
    std::printf("sum %d\n", sum);
    co_return {};
  });
}

}  // namespace

int main() {
  crypto::SystemEntropy entropy;
  const crypto::Identity identity = crypto::Identity::generate(entropy);
  std::printf("%s\n", identity.public_key().fingerprint().c_str());
  const int missing = rpc::run_program({.name = "nobody", .key_folder = "/nonexistent"},
                                       [](rpc::Program&) -> Task<> { co_return {}; });
  return missing == 1 ? run_main(add_up()) : 1;
}
