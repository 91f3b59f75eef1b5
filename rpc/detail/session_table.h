// SessionTable: the sessions of a node, by number, by name and by key.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tubing/rpc/detail/dial_target.h"
#include "tubing/rpc/detail/session.h"

namespace tubing::rpc {

/// Invariant: every session that was up stands under its peer's name and key until it is erased.
class SessionTable {
 public:
  struct Entry {
    std::unique_ptr<Session> session;
    std::string source;               ///< Whose half-open connection it counts as; empty: nobody's.
    std::uint64_t shown_renewal = 0;  ///< The newest of our renewals that the peer has seen.
  };
  using Map = std::map<std::uint64_t, Entry>;

  const Map& all() const { return sessions_; }
  Entry& add(std::unique_ptr<Session> session);
  /// Requires: it is in the table.
  Entry& entry(const Session& session) { return sessions_.at(session.id()); }
  Session* find(std::uint64_t id) const;
  /// Requires: the session is up.
  void index(Session& session);
  void erase(std::uint64_t id);

  /// The newest session that takes new channels for the target. Where the target names an address a
  /// server was meant, and a peer that connected to us counts only if its certificate lets it
  /// serve.
  Session* newest(const DialTarget& target) const;
  /// Those that were up with this key, the oldest first.
  std::vector<Session*> with_key(const crypto::PublicKey& key) const;

 private:
  using Ids = std::set<std::uint64_t>;

  Map sessions_;  ///< By number, in the order in which they came.
  std::map<std::string, Ids> by_name_;
  std::map<crypto::PublicKey, Ids> by_key_;
};

/// Whether the session is one with the peer that the target means; see `newest`.
bool serves(const Session& session, const DialTarget& target);

}  // namespace tubing::rpc
