#include "tubing/rpc/detail/session_table.h"

#include <ranges>

namespace tubing::rpc {
namespace {

template <class Map, class Key>
void erase_from(Map& index, const Key& key, std::uint64_t id) {
  const auto found = index.find(key);
  if (found == index.end()) return;
  found->second.erase(id);
  if (found->second.empty()) index.erase(found);
}

}  // namespace

bool serves(const Session& session, const DialTarget& target) {
  const crypto::PeerIdentity& identity = session.identity();
  const bool wanted = target.who.name()  ? *target.who.name() == identity.name
                      : target.who.key() ? *target.who.key() == identity.key
                                         : false;
  const bool may_serve = session.side() == Side::dialler || identity.usage != crypto::Usage::client;
  return wanted && (may_serve || target.addresses.empty());
}

SessionTable::Entry& SessionTable::add(std::unique_ptr<Session> session) {
  Entry& entry = sessions_[session->id()];
  entry.session = std::move(session);
  return entry;
}

Session* SessionTable::find(std::uint64_t id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second.session.get();
}

void SessionTable::index(Session& session) {
  by_name_[session.identity().name].insert(session.id());
  by_key_[session.identity().key].insert(session.id());
}

void SessionTable::erase(std::uint64_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const Session& session = *found->second.session;
  if (session.was_up()) {
    erase_from(by_name_, session.identity().name, id);
    erase_from(by_key_, session.identity().key, id);
  }
  sessions_.erase(found);
}

Session* SessionTable::newest(const DialTarget& target) const {
  const Ids* ids = nullptr;
  if (const std::string* name = target.who.name()) {
    const auto found = by_name_.find(*name);
    if (found != by_name_.end()) ids = &found->second;
  } else if (const crypto::PublicKey* key = target.who.key()) {
    const auto found = by_key_.find(*key);
    if (found != by_key_.end()) ids = &found->second;
  }
  if (ids == nullptr) return nullptr;
  for (const std::uint64_t id : std::views::reverse(*ids)) {
    Session& session = *sessions_.at(id).session;
    if (session.takes_opens() && serves(session, target)) return &session;
  }
  return nullptr;
}

std::vector<Session*> SessionTable::with_key(const crypto::PublicKey& key) const {
  std::vector<Session*> out;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return out;
  for (const std::uint64_t id : found->second) out.push_back(sessions_.at(id).session.get());
  return out;
}

}  // namespace tubing::rpc
