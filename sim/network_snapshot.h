// NetworkSnapshot: what a whole simulated network looks like at one instant.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tubing/channel/base/time.h"
#include "tubing/channel/fields.h"

namespace tubing::sim {

/// What became of the messages of one link so far; in byte mode of its bytes, where it is `sent`,
/// `delivered` or `in_flight`, else of the segments in which they travel.
struct LinkTraffic {
  std::uint64_t sent = 0;  ///< Bytes: written by a process.
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;     ///< On sending.
  std::uint64_t deaf = 0;        ///< Arrived, and were not heard.
  std::uint64_t cut = 0;         ///< Sent, or under way, where nothing passes. No segment is.
  std::uint64_t corrupted = 0;   ///< Dropped for it. A segment arrives, with a bit flipped.
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
  /// Those that run, in the order of their spawning.
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

/// One direction of a byte stream. Units: bytes.
struct StreamSnapshot {
  std::uint64_t written = 0;    ///< By the process.
  std::uint64_t arrived = 0;    ///< And was taken.
  std::uint64_t in_flight = 0;  ///< Has left, and has not arrived.
  std::uint64_t waiting = 0;    ///< Has not left.
  /// Why the next byte does not arrive: "cut", "held", "lost" (it is sent again), "unread" by the
  /// receiver; or why the next does not leave: "window"; empty where nothing is in its way.
  std::string held_up;

  static constexpr auto fields =
      tubing::fields("written", &StreamSnapshot::written, "arrived", &StreamSnapshot::arrived,
                     "in_flight", &StreamSnapshot::in_flight, "waiting", &StreamSnapshot::waiting,
                     "held_up", &StreamSnapshot::held_up);
};

/// A connection between two processes.
struct ConnectionSnapshot {
  std::uint64_t id = 0;  ///< An event of the connection has the subject 2 * id, or one more.
  std::string dialer;    ///< An address, "a:49152"; likewise the listener's.
  std::string listener;
  /// "dialling" until the listener's answer has arrived, then "open"; "half-open" where one end is
  /// gone, the other does not know it, and nothing is under way that tells; "closing" where one end
  /// has ended and the other will hear of it, or both have.
  std::string state;
  StreamSnapshot there;  ///< From the dialler.
  StreamSnapshot back;

  static constexpr auto fields =
      tubing::fields("id", &ConnectionSnapshot::id, "dialer", &ConnectionSnapshot::dialer,
                     "listener", &ConnectionSnapshot::listener, "state", &ConnectionSnapshot::state,
                     "there", &ConnectionSnapshot::there, "back", &ConnectionSnapshot::back);
};

/// A dial that no listener has heard yet.
struct DialSnapshot {
  std::string from;  ///< An address, as of a connection.
  std::string to;
  std::uint32_t tries = 0;  ///< So far.

  static constexpr auto fields = tubing::fields("from", &DialSnapshot::from, "to",
                                                &DialSnapshot::to, "tries", &DialSnapshot::tries);
};

/// Made by World::snapshot, in either mode.
struct NetworkSnapshot {
  std::int64_t time_ns = 0;
  std::string unit;  ///< What `traffic` counts: "messages", or in byte mode "bytes".
  std::vector<HostSnapshot> hosts;
  /// For each host, to each other one, in the order of both.
  std::vector<LinkSnapshot> links;
  std::vector<ConnectionSnapshot> connections;  ///< That live, in the order of their making.
  std::vector<DialSnapshot> dials;              ///< Likewise.

  static constexpr auto fields =
      tubing::fields("time_ns", &NetworkSnapshot::time_ns, "unit", &NetworkSnapshot::unit, "hosts",
                     &NetworkSnapshot::hosts, "links", &NetworkSnapshot::links, "connections",
                     &NetworkSnapshot::connections, "dials", &NetworkSnapshot::dials);

  /// A line for each host, with a column for each receiver: how many messages, or bytes, were
  /// delivered of how many sent, behind "x" where nothing passes, "h" where it is held, "!" where a
  /// fault may strike. Then a line for each link on which something went wrong or is under way,
  /// and one for each connection and dial.
  std::string text() const;
  /// One line of JSON: the fields by their names.
  std::string json() const;
};

}  // namespace tubing::sim
