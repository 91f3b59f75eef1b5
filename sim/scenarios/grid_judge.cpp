#include "tubing/sim/scenarios/grid_judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/channel/base/assert.h"

namespace tubing::sim {
namespace {

std::uint64_t check_of(const GridMessage& message) {
  std::uint64_t check = 0x9e3779b97f4a7c15;
  for (const std::uint64_t word :
       {std::uint64_t{message.from}, std::uint64_t{message.to}, message.channel, message.number})
    check = (check ^ word) * 0xbf58476d1ce4e5b9 + (check >> 29);
  return check;
}

}  // namespace

std::uint64_t GridJudge::open(HostId from, HostId to, bool datagrams) {
  channels_.push_back({.from = from, .to = to, .datagrams = datagrams});
  return channels_.size();
}

GridMessage GridJudge::next(std::uint64_t channel) {
  Channel& of = channels_[channel - 1];
  GridMessage message{.from = of.from, .to = of.to, .channel = channel, .number = of.sent++};
  message.check = check_of(message);
  return message;
}

void GridJudge::leave(std::uint64_t channel, std::uint64_t accepted, std::uint64_t taken) {
  const Channel& of = channels_[channel - 1];
  if (of.datagrams) return;
  accepted_ += accepted;
  known_ += std::min(taken, accepted);
  if (taken > of.received)
    fail(fmt::format("channel {} from host {} to {}: {} messages were reported as taken, {} were",
                     channel, of.from, of.to, taken, of.received));
}

void GridJudge::arrived(const GridMessage& message, HostId at, std::string_view peer) {
  const auto wrong = [&](std::string_view what) {
    fail(fmt::format("host {} received from {} message {} of channel {}, from {} to {}: {}", at,
                     peer, message.number, message.channel, message.from, message.to, what));
  };
  if (message.check != check_of(message)) return wrong("its content is damaged");
  if (message.channel == 0 || message.channel > channels_.size())
    return wrong("there is no such channel");
  Channel& of = channels_[message.channel - 1];
  if (of.from != message.from || of.to != message.to || of.to != at)
    return wrong("it belongs to others");
  if (message.number >= of.sent) return wrong("nobody sent it");
  if (of.datagrams) {
    ++of.received;
    ++datagrams_received_;
    return;
  }
  if (message.number < of.received) return wrong("it came before, or too late");
  if (message.number > of.received)
    return wrong(fmt::format("message {} is missing before it", of.received));
  ++of.received;
  ++received_;
}

}  // namespace tubing::sim
