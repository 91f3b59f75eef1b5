// Links: the ways between the hosts of a World, and their faults; both networks ask it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/sim/link_conditions.h"
#include "tubing/sim/streams.h"

namespace tubing::sim {

/// What a host's network looks like from outside. Power is apart from it: a reboot heals no card.
enum class LinkState : std::uint8_t { healthy, faulty, isolated, faulty_isolated };
std::string_view link_state_name(LinkState state);

/// Whom a change of faults concerns, after it: for networks that have something under way.
class LinkObserver {
 public:
  virtual void on_link_change(HostId from, HostId to) = 0;
  /// Its conditions are better: what is under way arrives no later than if it were sent now.
  virtual void on_link_ease(HostId from, HostId to) = 0;
  /// What was dropped on this link, and is still kept, arrives now.
  virtual void on_deliver_late(HostId from, HostId to) = 0;

 protected:
  ~LinkObserver() = default;
};

/// What is repaired beside the faults of links and cards.
struct RepairOptions {
  bool unisolate = true;
  /// What was dropped meanwhile, and is kept, arrives at once, oldest first, though newer messages
  /// went ahead of it: the stale leader's last words.
  bool deliver_late = false;
};

/// What is drawn on a link.
enum class LinkDraw : std::uint8_t {
  latency,
  tail,
  drop,
  deaf,
  card_drop,
  card_deaf,
  duplicate,
  reorder,
  corrupt,
  reset,
  dial,     ///< Whether, and when, one is answered.
  notice,   ///< When an end hears that it lost its peer.
  chunks,   ///< Of byte streams.
  refusal,  ///< Of dials to a host, on its way to itself.
};
inline constexpr std::size_t kLinkDraws = 14;

/// For each ordered pair of hosts conditions and faults, and for each host the faults of its card.
/// A link exists as soon as both hosts do.
///
/// All changes take effect at the instant of the call, also for what is under way: an end of a
/// throttle or of a long latency lets it arrive as if it were sent now; several calls in one
/// callback of `World::at` are a batch at one instant. Asymmetric faults are faults of one
/// direction.
///
/// Threads: one.
class Links {
 public:
  /// `clock` is the time of the world, and outlives this.
  Links(const Time& clock, Prng prng) : clock_(clock), streams_(prng.next()) {}
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  HostId add_host();
  std::size_t host_count() const { return cards_.size(); }
  void observe(LinkObserver& observer) { observers_.push_back(&observer); }

  // What is ordered. Requires: the hosts exist.

  /// Of every link, also of those made later.
  void set_conditions(const LinkConditions& conditions);
  void set_conditions(HostId from, HostId to, const LinkConditions& conditions);
  /// Returns: the faults that were there before, to undo it.
  LinkFaults set_faults(HostId from, HostId to, const LinkFaults& faults);
  CardFaults set_card(HostId host, const CardFaults& faults);
  /// Both directions; one alone is a fault of `set_faults`.
  void cut(HostId a, HostId b);
  /// Nothing passes between hosts that no group has in common. A host of several groups reaches all
  /// of each: it bridges them. Who is in no group is alone.
  void partition(const std::vector<std::vector<HostId>>& groups);
  void isolate(HostId host);
  void unisolate(HostId host);

  void repair_link(HostId from, HostId to, RepairOptions options = {});
  /// The host's card, and every link from it and to it.
  void repair_host(HostId host, RepairOptions options = {});
  void repair_all(RepairOptions options = {});
  /// What was dropped on this link, and is kept, arrives now.
  void deliver_late(HostId from, HostId to);

  // What is so.

  const LinkConditions& conditions(HostId from, HostId to) const { return at(from, to).conditions; }
  const LinkFaults& faults(HostId from, HostId to) const { return at(from, to).faults; }
  const CardFaults& card(HostId host) const { return cards_[host]; }
  /// By its card, and the links on which it sends.
  LinkState state(HostId host) const;
  /// Whether anything may pass: no cut, and no isolation at either end.
  bool connected(HostId from, HostId to) const {
    return !at(from, to).faults.cut && !cards_[from].isolated && !cards_[to].isolated;
  }

  // What networks draw.

  /// Between leaving and arriving, the time on the line aside.
  Duration draw_latency(HostId from, HostId to);
  /// Whether a fault of this rate strikes now; a rate of 0 draws nothing.
  bool strikes(HostId from, HostId to, LinkDraw what, std::uint32_t ppm) {
    return ppm != 0 && draws(from, to, what).chance(ppm, kPpm);
  }
  /// Whether the sender's side drops it now: the link's faults, then the card's.
  bool drops(HostId from, HostId to) {
    return strikes(from, to, LinkDraw::drop, at(from, to).faults.drop_ppm) ||
           strikes(from, to, LinkDraw::card_drop, cards_[from].drop_ppm);
  }
  bool is_deaf(HostId from, HostId to) {
    return strikes(from, to, LinkDraw::deaf, at(from, to).faults.deaf_ppm) ||
           strikes(from, to, LinkDraw::card_deaf, cards_[to].deaf_ppm);
  }
  /// What the next event of this class on this link draws from.
  Prng draws(HostId from, HostId to, LinkDraw what) {
    return at(from, to).draws.next(clock_, static_cast<std::size_t>(what));
  }

  FaultCounts& counts() { return counts_; }
  const FaultCounts& counts() const { return counts_; }

 private:
  struct Link {
    LinkConditions conditions;
    LinkFaults faults;
    TimedDraws<kLinkDraws> draws;
  };

  Link make_link(HostId from, HostId to) const;

  Link& at(HostId from, HostId to) { return links_[from][to]; }
  const Link& at(HostId from, HostId to) const { return links_[from][to]; }
  void require_host(HostId host) const;
  void tell(HostId from, HostId to);
  void tell_host(HostId host);

  const Time& clock_;
  const Streams streams_;
  LinkConditions default_conditions_;
  std::vector<CardFaults> cards_;
  std::vector<std::vector<Link>> links_;  ///< By sender, then by receiver.
  std::vector<LinkObserver*> observers_;
  FaultCounts counts_;
};

}  // namespace tubing::sim
