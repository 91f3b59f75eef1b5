#include "tubing/sim/process_node.h"

#include <fmt/format.h>

#include "tubing/sim/world.h"

namespace tubing::sim {
namespace {

// Nobody's certificate expires, whatever is done to the clocks.
constexpr std::int64_t kYearSeconds = 365 * 24 * 3600;
constexpr std::int64_t kPastSeconds = 20 * kYearSeconds;
constexpr std::int64_t kFutureSeconds = 100 * kYearSeconds;

crypto::Usage usage_of(const HostSpec& spec) {
  for (const crypto::Usage usage :
       {crypto::Usage::client, crypto::Usage::server, crypto::Usage::both})
    if (crypto::usage_name(usage) == spec.usage) return usage;
  TUBING_ASSERT(false && "a host's usage is client, server or both", spec.usage);
  return crypto::Usage::both;
}

}  // namespace

WorldKeys::WorldKeys(Prng prng)
    : entropy_(prng), authority_(crypto::Authority::generate(entropy_)) {}

crypto::Credentials WorldKeys::credentials(const Host& host, crypto::Entropy& of_process,
                                           WallTime epoch) {
  const WallTime until = WallTime::from_seconds(epoch.seconds() + kFutureSeconds);
  const crypto::Identity& owner = identity(host.id());
  const Result<crypto::Certificate> certificate =
      authority_.issue({.subject = owner.public_key(),
                        .name = host.name(),
                        .email = "",
                        .roles = host.spec().roles,
                        .usage = usage_of(host.spec()),
                        .not_before = WallTime::from_seconds(epoch.seconds() - kPastSeconds),
                        .not_after = until},
                       of_process);
  TUBING_ASSERT(certificate && "a host is what a certificate can say", certificate.error().text());
  Result<crypto::Credentials> made = crypto::Credentials::make(
      owner, *certificate, crypto::X25519KeyPair::generate(of_process), until);
  TUBING_ASSERT(made, made.error().text());
  return *std::move(made);
}

// In the order of the hosts, so that it does not matter who asks first.
const crypto::Identity& WorldKeys::identity(HostId host) {
  while (identities_.size() <= host) identities_.push_back(crypto::Identity::generate(entropy_));
  return identities_[host];
}

ProcessNode::ProcessNode(Process& process, rpc::Transport& transport, std::uint16_t port)
    : credentials_(process.world().keys().credentials(process.host(), process.entropy(),
                                                      process.world().options().epoch)),
      trust_(process.world().keys().trust()),
      node_({.scheduler = process.scheduler(),
             .transport = transport,
             .entropy = process.entropy(),
             .credentials = credentials_,
             .trust = trust_},
            process.world().options().node) {
  const Host& own = process.host();
  for (const Host& host : process.world().hosts()) learn(host);
  if (usage_of(own.spec()) == crypto::Usage::client) return;
  const Result<rpc::Address> listening = node_.listen({own.name(), port});
  if (!listening && listening.code() != Code::unavailable)
    process.world().add_problem(listening.error().text());
}

void ProcessNode::learn(const Host& host) {
  std::vector<std::string> addresses;
  const std::uint16_t count = std::max<std::uint16_t>(host.node_count(), 1);
  addresses.reserve(count);
  for (std::uint16_t i = 0; i < count; ++i)
    addresses.push_back(fmt::format("{}:{}", host.name(), kPortMin + i));
  const Result<> learned = node_.learn({host.name()}, std::move(addresses));
  TUBING_ASSERT(learned, learned.error().text());
}

}  // namespace tubing::sim
