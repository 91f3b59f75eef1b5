#include "tubing/crypto/known_peers.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tubing/crypto/detail/line_reader.h"
#include "tubing/crypto/folder_lock.h"

namespace tubing::crypto {
namespace {

using Part = KnownPeers::Part;

Error unauthenticated(std::string_view what) {
  return Error(Code::unauthenticated, "known peers", what);
}

const KnownPeer* with_name(const std::vector<KnownPeer>& peers, std::string_view name) {
  const auto found = std::ranges::find(peers, name, &KnownPeer::name);
  return found == peers.end() ? nullptr : &*found;
}

const KnownPeer* with_key(const std::vector<KnownPeer>& peers, const PublicKey& key) {
  const auto found = std::ranges::find(peers, key, &KnownPeer::key);
  return found == peers.end() ? nullptr : &*found;
}

/// Whether the file's mode, or the disk, keeps even its owner from writing.
bool read_only(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return true;
  return (status.st_mode & 0200) == 0 || ::access(path.c_str(), W_OK) != 0;
}

Result<KnownPeer> parse_line(const detail::LineReader& reader, bool with_roles) {
  const auto& words = reader.words();
  if (words.size() < 2 || (!with_roles && words.size() > 2))
    return reader.error(with_roles ? "is not `FINGERPRINT NAME [ROLE...]`"
                                   : "is not `FINGERPRINT NAME`");
  const auto key = PublicKey::parse(words[0]);
  if (!key) return reader.error(key.error().detail());
  Claims claims;
  claims.name = words[1];
  claims.roles = reader.sorted_words(2);
  if (auto checked = check_claims(claims); !checked) return reader.error(checked.error().detail());
  return KnownPeer{*key, std::move(claims.name), std::move(claims.roles)};
}

}  // namespace

Result<std::vector<KnownPeer>> parse_known_peers(std::string_view text, bool with_roles) {
  std::vector<KnownPeer> peers;
  for (detail::LineReader reader(text); reader.next();) {
    auto peer = parse_line(reader, with_roles);
    if (!peer) return std::move(peer).error();
    if (with_name(peers, peer->name) != nullptr)
      return reader.error(fmt::format("the name {} stands here twice", peer->name));
    if (with_key(peers, peer->key) != nullptr)
      return reader.error(fmt::format("the key {} stands here twice", peer->key.fingerprint()));
    if (peers.size() == kKnownPeersMax)
      return Error(Code::resource_exhausted, "read file",
                   fmt::format("names more than {} peers, the most", kKnownPeersMax));
    peers.push_back(*std::move(peer));
  }
  return peers;
}

std::string KnownPeers::path(Part part) const {
  return part == Part::servers ? folder_.known_servers() : folder_.known_clients();
}

Result<KnownPeers::List> KnownPeers::read_list(Part part) const {
  const auto text =
      detail::read_text_file(path(part), detail::Readers::owner, kKnownPeersFileBytesMax);
  if (text.code() == Code::not_found) return List{};
  if (!text) return text.error();
  auto peers = parse_known_peers(*text, part == Part::clients);
  if (!peers) return detail::in_file(path(part), peers.error());
  const State state = read_only(path(part)) ? State::locked : State::learning;
  const std::size_t saved = peers->size();
  return List{.state = state, .peers = *std::move(peers), .saved = saved};
}

Result<> KnownPeers::read() {
  const std::scoped_lock guard(mutex_);
  auto servers = read_list(Part::servers);
  auto clients = read_list(Part::clients);
  // Both are taken before anybody is learned again, who has to fit both.
  const List old_servers = servers ? std::exchange(list(Part::servers), *servers) : List();
  const List old_clients = clients ? std::exchange(list(Part::clients), *clients) : List();
  // Who does not fit the files any more is dropped.
  if (servers) (void)learn_again(Part::servers, old_servers);
  if (clients) (void)learn_again(Part::clients, old_clients);
  return both_ok(servers ? Result<>() : servers.error(), clients ? Result<>() : clients.error());
}

// Takes over what `before` had learned and not saved. Returns who was dropped, for people.
std::string KnownPeers::learn_again(Part part, const List& before) {
  std::string dropped;
  for (std::size_t i = before.saved; i < before.peers.size(); ++i) {
    const KnownPeer& peer = before.peers[i];
    if (!find(part, peer.name, peer.key))
      dropped +=
          fmt::format("{}{} ({})", dropped.empty() ? "" : ", ", peer.name, peer.key.fingerprint());
    else if (with_key(list(part).peers, peer.key) == nullptr)
      list(part).peers.push_back(peer);
  }
  return dropped;
}

KnownPeers::State KnownPeers::state(Part part) const {
  const std::scoped_lock guard(mutex_);
  return list(part).state;
}

std::vector<KnownPeer> KnownPeers::peers(Part part) const {
  const std::scoped_lock guard(mutex_);
  return list(part).peers;
}

// A name has one key and a key one name, whichever list they stand in.
Result<> KnownPeers::check_free(std::string_view name, const PublicKey& key) const {
  for (const Part part : {Part::servers, Part::clients}) {
    const auto& peers = list(part).peers;
    if (const KnownPeer* known = with_name(peers, name); known != nullptr && known->key != key)
      return unauthenticated(fmt::format(
          "the key of {0} has changed: known here is {1}, and it shows {2}. Somebody else may be "
          "answering in its place; if {0} was given a new key on purpose, take its line out of {3}",
          name, known->key.fingerprint(), key.fingerprint(), path(part)));
    if (const KnownPeer* known = with_key(peers, key); known != nullptr && known->name != name)
      return unauthenticated(
          fmt::format("the key {} is known here as {} and calls itself {}; if it was renamed on "
                      "purpose, correct its line in {}",
                      key.fingerprint(), known->name, name, path(part)));
  }
  return {};
}

// Whether the list takes in whom it does not know.
Result<> KnownPeers::check_open(Part part, std::string_view name, const PublicKey& key) const {
  const std::string line = fmt::format("`{} {}`", key.fingerprint(), name);
  switch (list(part).state) {
    case State::off:
      return unauthenticated(fmt::format(
          "{} is not known here, and there is no {}; make the file, empty and with mode 600, to "
          "believe who comes first under a name, or with the line {}",
          name, path(part), line));
    case State::locked:
      return unauthenticated(fmt::format(
          "{} is not known here, and {} is read-only; if you know the key by another way, add the "
          "line {}",
          name, path(part), line));
    case State::learning: break;
  }
  if (list(part).peers.size() < kKnownPeersMax) return {};
  return Error(Code::resource_exhausted, "known peers",
               fmt::format("{} is not known here, and {} names {} peers already, the most; take "
                           "out those that are gone",
                           name, path(part), kKnownPeersMax));
}

Result<KnownPeer> KnownPeers::find(Part part, std::string_view name, const PublicKey& key) const {
  if (auto is_free = check_free(name, key); !is_free) return std::move(is_free).error();
  if (const KnownPeer* known = with_key(list(part).peers, key); known != nullptr) return *known;
  if (auto open = check_open(part, name, key); !open) return std::move(open).error();
  return KnownPeer{key, std::string(name)};
}

Result<KnownPeer> KnownPeers::find_server(std::string_view name, const PublicKey& key) const {
  const std::scoped_lock guard(mutex_);
  return find(Part::servers, name, key);
}

KnownPeer KnownPeers::find_server(const PublicKey& key) const {
  const std::scoped_lock guard(mutex_);
  const KnownPeer* known = with_key(list(Part::servers).peers, key);
  return known != nullptr ? *known : KnownPeer{key, key.fingerprint()};
}

Result<KnownPeer> KnownPeers::find_client(std::string_view name, const PublicKey& key) const {
  const std::scoped_lock guard(mutex_);
  return find(Part::clients, name, key);
}

Result<> KnownPeers::learn(Part part, const KnownPeer& peer) {
  {
    const std::scoped_lock guard(mutex_);
    const auto found = find(part, peer.name, peer.key);
    if (!found) return found.error();
    if (with_key(list(part).peers, peer.key) != nullptr) return {};
    list(part).peers.push_back(peer);
  }
  if (told_) told_();  // It may ask whether there is news.
  return {};
}

bool KnownPeers::knows(const KnownPeer& peer) const {
  const std::scoped_lock guard(mutex_);
  return std::ranges::any_of(lists_,
                             [&](const List& l) { return std::ranges::count(l.peers, peer) > 0; });
}

bool KnownPeers::has_news() const {
  const std::scoped_lock guard(mutex_);
  return std::ranges::any_of(lists_, [](const List& l) { return l.saved < l.peers.size(); });
}

Result<> KnownPeers::save(Entropy& entropy) {
  const std::scoped_lock guard(mutex_);
  auto servers = save_list(Part::servers, entropy);
  auto clients = save_list(Part::clients, entropy);
  return servers ? std::move(clients) : std::move(servers);
}

Result<> KnownPeers::save_list(Part part, Entropy& entropy) {
  List& known = list(part);
  if (known.saved == known.peers.size()) return {};
  const auto lock = FolderLock::take(folder_.path());
  if (!lock) return lock.error();
  auto now = read_list(part);
  if (!now) return std::move(now).error();
  const List before = std::exchange(known, *std::move(now));
  const std::string dropped = learn_again(part, before);
  if (auto written = append_news(part, entropy); !written) return written;
  if (dropped.empty()) return {};
  return Error(Code::failed_precondition, "known peers",
               fmt::format("{} was changed since, and takes no longer {}: what stands in the file "
                           "counts",
                           path(part), dropped));
}

// Requires: the folder's lock is held, and the list was read under it.
Result<> KnownPeers::append_news(Part part, Entropy& entropy) {
  List& known = list(part);
  std::string lines;
  for (std::size_t i = known.saved; i < known.peers.size(); ++i)
    lines += fmt::format("{} {}\n", known.peers[i].key.fingerprint(), known.peers[i].name);
  if (lines.empty()) return {};
  auto text = detail::read_text_file(path(part), detail::Readers::owner, kKnownPeersFileBytesMax);
  if (!text) return std::move(text).error();
  const std::string after = detail::with_lines(*std::move(text), lines);
  if (after.size() > kKnownPeersFileBytesMax)
    return Error(Code::resource_exhausted, "known peers",
                 fmt::format("{} would be longer than {} bytes, the most; take out those that are "
                             "gone",
                             path(part), kKnownPeersFileBytesMax));
  if (auto written = detail::write_small_file(path(part), detail::Readers::owner, as_bytes(after),
                                              IfExists::replace, entropy);
      !written)
    return written;
  known.saved = known.peers.size();
  return {};
}

}  // namespace tubing::crypto
