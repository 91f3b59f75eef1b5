// NetworkSnapshot: what a whole simulated network looks like at one instant.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tubing/channel/base/time.h"
#include "tubing/channel/fields.h"

namespace tubing::sim {

/// What became of the messages of one link so far.
struct LinkTraffic {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;     ///< On sending.
  std::uint64_t deaf = 0;        ///< Arrived, and were not heard.
  std::uint64_t cut = 0;         ///< Sent, or under way, where nothing passes.
  std::uint64_t corrupted = 0;   ///< Dropped for it.
  std::uint64_t reset = 0;       ///< Took their channel with them.
  std::uint64_t duplicated = 0;  ///< Arrived twice.
  std::uint64_t reordered = 0;   ///< Could be overtaken.
  std::uint64_t overflowed = 0;  ///< Datagrams that found no room.
  std::uint64_t late = 0;        ///< Dropped before, and delivered after all.
  std::uint64_t forgotten = 0;   ///< Dropped, kept, and forgotten for newer ones.
  std::uint64_t in_flight = 0;   ///< Now.

  static constexpr auto fields =
      tubing::fields("sent", &LinkTraffic::sent, "delivered", &LinkTraffic::delivered, "dropped",
                     &LinkTraffic::dropped, "deaf", &LinkTraffic::deaf, "cut", &LinkTraffic::cut,
                     "corrupted", &LinkTraffic::corrupted, "reset", &LinkTraffic::reset,
                     "duplicated", &LinkTraffic::duplicated, "reordered", &LinkTraffic::reordered,
                     "overflowed", &LinkTraffic::overflowed, "late", &LinkTraffic::late,
                     "forgotten", &LinkTraffic::forgotten, "in_flight", &LinkTraffic::in_flight);
};

struct HostSnapshot {
  std::string name;
  bool powered = true;
  std::string state;  ///< As link_state_name.
  /// Those that have used the network in message mode, in the order of their spawning.
  std::vector<std::string> processes;

  static constexpr auto fields =
      tubing::fields("name", &HostSnapshot::name, "powered", &HostSnapshot::powered, "state",
                     &HostSnapshot::state, "processes", &HostSnapshot::processes);
};

/// One direction between two hosts.
struct LinkSnapshot {
  std::string from;
  std::string to;
  bool connected = true;
  bool held = false;
  bool faulty = false;     ///< A fault of the link, or of either card, may strike.
  std::uint64_t kept = 0;  ///< Dropped messages that may be delivered late.
  LinkTraffic traffic;

  static constexpr auto fields = tubing::fields(
      "from", &LinkSnapshot::from, "to", &LinkSnapshot::to, "connected", &LinkSnapshot::connected,
      "held", &LinkSnapshot::held, "faulty", &LinkSnapshot::faulty, "kept", &LinkSnapshot::kept,
      "traffic", &LinkSnapshot::traffic);
};

/// Made by MessageFabric::snapshot.
struct NetworkSnapshot {
  std::int64_t time_ns = 0;
  std::vector<HostSnapshot> hosts;
  /// For each host, to each other one, in the order of both.
  std::vector<LinkSnapshot> links;

  static constexpr auto fields =
      tubing::fields("time_ns", &NetworkSnapshot::time_ns, "hosts", &NetworkSnapshot::hosts,
                     "links", &NetworkSnapshot::links);

  /// A line for each host, with a column for each receiver: how many messages were delivered of how
  /// many sent, behind "x" where nothing passes, "h" where it is held, "!" where a fault may
  /// strike. Then a line for each link on which something went wrong.
  std::string text() const;
  /// One line of JSON: the fields by their names.
  std::string json() const;
};

}  // namespace tubing::sim
