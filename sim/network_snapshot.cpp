#include "tubing/sim/network_snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/channel/json.h"

namespace tubing::sim {
namespace {

std::string cell(const LinkSnapshot& link) {
  const char* const mark = !link.connected ? "x " : link.held ? "h " : link.faulty ? "! " : "";
  return fmt::format("{}{}/{}", mark, link.traffic.delivered, link.traffic.sent);
}

/// Empty where nothing went wrong, and nothing is under way.
std::string losses(const LinkSnapshot& link) {
  const LinkTraffic& traffic = link.traffic;
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"dropped", traffic.dropped},
      {"deaf", traffic.deaf},
      {"cut", traffic.cut},
      {"corrupted", traffic.corrupted},
      {"reset", traffic.reset},
      {"duplicated", traffic.duplicated},
      {"reordered", traffic.reordered},
      {"overflowed", traffic.overflowed},
      {"late", traffic.late},
      {"kept", link.kept},
      {"forgotten", traffic.forgotten},
      {"in flight", traffic.in_flight},
  };
  std::string text;
  for (const auto& [name, count] : counts)
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  return text;
}

std::string stream(const StreamSnapshot& stream) {
  std::string text = fmt::format("{} of {} arrived", stream.arrived, stream.written);
  if (stream.in_flight > 0) text += fmt::format(", {} in flight", stream.in_flight);
  if (stream.waiting > 0) text += fmt::format(", {} wait", stream.waiting);
  if (!stream.held_up.empty()) text += fmt::format(" ({})", stream.held_up);
  return text;
}

std::string connection(const ConnectionSnapshot& of) {
  return fmt::format("{} -> {} {}: {}; back: {}\n", of.dialer, of.listener, of.state,
                     stream(of.there), stream(of.back));
}

}  // namespace

std::string NetworkSnapshot::text() const {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::size_t width = 4;
  for (const HostSnapshot& host : hosts) width = std::max(width, host.name.size());
  std::size_t cell_width = width;
  for (const LinkSnapshot& link : links) cell_width = std::max(cell_width, cell(link).size());

  std::string text = fmt::format("at {}.{:09} s, {}\n{:{}}  {:24}", time_ns / kSecond,
                                 time_ns % kSecond, unit, "from", width, "state");
  for (const HostSnapshot& host : hosts) text += fmt::format("  {:>{}}", host.name, cell_width);
  text += '\n';
  for (const HostSnapshot& host : hosts) {
    const std::string state = host.state + (host.powered ? "" : ", no power");
    std::string row = fmt::format("{:{}}  {:24}", host.name, width, state);
    for (const HostSnapshot& other : hosts) {
      const auto link = std::ranges::find_if(links, [&](const LinkSnapshot& candidate) {
        return candidate.from == host.name && candidate.to == other.name;
      });
      row += fmt::format("  {:>{}}", link == links.end() ? "." : cell(*link), cell_width);
    }
    text += row + '\n';
  }
  for (const LinkSnapshot& link : links)
    if (const std::string lost = losses(link); !lost.empty())
      text += fmt::format("{} -> {}: {}\n", link.from, link.to, lost);
  for (const ConnectionSnapshot& each : connections) text += connection(each);
  for (const DialSnapshot& dial : dials)
    text += fmt::format("{} -> {} dialling: tried {} times\n", dial.from, dial.to, dial.tries);
  return text;
}

std::string NetworkSnapshot::json() const { return to_json(*this); }

}  // namespace tubing::sim
