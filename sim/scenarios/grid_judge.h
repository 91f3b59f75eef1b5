// GridJudge: knows what was sent in the scenario grid, and judges what arrives.
#pragma once

#include <string>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/sim/link_conditions.h"

namespace tubing::sim {

/// What hosts send each other. It names itself completely, so that whoever receives it can tell
/// whether it should be there.
struct GridMessage {
  static constexpr std::string_view type_name = "GridMessage";

  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint64_t channel = 0;  ///< Counts the openings of all, from 1.
  std::uint64_t number = 0;   ///< In its channel, from 0.
  std::uint64_t check = 0;    ///< Over the others.

  static constexpr auto fields = tubing::fields("from", &GridMessage::from, "to", &GridMessage::to,
                                                "channel", &GridMessage::channel, "number",
                                                &GridMessage::number, "check", &GridMessage::check);
};

/// Stands outside the world and sees every host. The first thing that does not hold stays.
class GridJudge {
 public:
  struct Channel {
    HostId from = 0;
    HostId to = 0;
    bool datagrams = false;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;  ///< Ordered: the next number. Datagrams: how many came.
  };

  /// A host opens a channel. Returns: its number.
  std::uint64_t open(HostId from, HostId to, bool datagrams = false);
  /// The next message of this channel; from now on it may arrive.
  GridMessage next(std::uint64_t channel);
  /// The sender no longer looks at the channel: so many of its messages were accepted, and of so
  /// many it knows that they were taken.
  void leave(std::uint64_t channel, std::uint64_t accepted, std::uint64_t taken);
  /// A message arrived at host `at` from a peer that is called so.
  void arrived(const GridMessage& message, HostId at, std::string_view peer);

  void fail(std::string what) {
    if (violation_.empty()) violation_ = std::move(what);
  }
  const std::string& violation() const { return violation_; }

  std::uint64_t received() const { return received_; }
  std::uint64_t datagrams_received() const { return datagrams_received_; }
  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t known() const { return known_; }
  std::uint64_t channels() const { return channels_.size(); }

 private:
  std::vector<Channel> channels_;
  std::uint64_t received_ = 0;
  std::uint64_t datagrams_received_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t known_ = 0;
  std::string violation_;
};

}  // namespace tubing::sim
