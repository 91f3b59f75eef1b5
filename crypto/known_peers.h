// KnownPeers: whom a process has met before, for trust on first use.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/key_folder.h"

namespace tubing::crypto {

/// The most peers that one list may hold; a learning list that is full refuses whom it does not
/// know.
inline constexpr std::size_t kKnownPeersMax = 4096;
inline constexpr std::size_t kKnownPeersFileBytesMax = 1 << 20;

/// A peer with its key. Servers have no roles.
struct KnownPeer {
  PublicKey key;
  std::string name;
  std::vector<std::string> roles = {};

  friend bool operator==(const KnownPeer&, const KnownPeer&) = default;
};

/// Reads lines `FINGERPRINT NAME` and, where `with_roles`, roles behind them; empty lines and what
/// follows a '#' are skipped. A key and a name may stand there once.
/// Errors: invalid_argument with the number of the line; resource_exhausted beyond kKnownPeersMax.
/// Source: the section "Known peers" of CERTIFICATE.md.
Result<std::vector<KnownPeer>> parse_known_peers(std::string_view text, bool with_roles);

/// Two lists: the servers that were dialled, name by name, and the clients that may dial. Each is a
/// file of the key folder, whose state says what happens to those who are not in it. One name never
/// belongs to two keys, in either list.
///
/// A peer is learned in memory, by the handshake that believes it; the disk sees it when somebody
/// calls save().
///
/// Threads: any.
class KnownPeers {
 public:
  enum class State : std::uint8_t {
    off,       ///< The file is absent: nobody is known, and nobody is learned.
    learning,  ///< The file is writable: who comes first under a name is believed, and kept.
    locked,    ///< The file is read-only (chmod 400): only who stands in it is believed.
  };
  /// Which of the two lists.
  enum class Part : std::uint8_t { servers, clients };

  /// Knows nobody until read().
  explicit KnownPeers(KeyFolder folder) : folder_(std::move(folder)) {}

  /// Reads both files again, and keeps what was learned but not saved. Blocks on the disk.
  /// Errors: as parse_known_peers(), and permission_denied where others may read a file; each names
  /// the file. What that file said before stays then, and the other one counts all the same.
  Result<> read();

  State state(Part part) const;
  std::vector<KnownPeer> peers(Part part) const;

  /// The server that was dialled as `name`, which shows `key`.
  /// Returns: the peer; whether it is to be learned, learn() decides.
  /// Errors: unauthenticated for a name that has another key and a key that has another name, with
  /// both fingerprints; and for an unknown one where the state is not learning. Each says what to
  /// do.
  Result<KnownPeer> find_server(std::string_view name, const PublicKey& key) const;
  /// The server that was dialled by `key`: under its name where it has one, else its fingerprint.
  KnownPeer find_server(const PublicKey& key) const;
  /// The client that calls itself `name`. Errors: as find_server().
  Result<KnownPeer> find_client(std::string_view name, const PublicKey& key) const;

  /// Calls `told` whenever somebody was learned, so that it may have save() called.
  /// Requires: nobody is learned meanwhile. Threads: `told` is called by the one that learns.
  void on_news(std::function<void()> told) { told_ = std::move(told); }

  /// Keeps a peer that was found and has passed every other check.
  /// Errors: as find_server(), for one that another handshake was faster than; resource_exhausted
  /// when the list is full.
  Result<> learn(Part part, const KnownPeer& peer);

  /// Whether either list has this very peer still.
  bool knows(const KnownPeer& peer) const;

  /// Whether there is something to save().
  bool has_news() const;
  /// Adds what was learned to the files. What people wrote into them since then stays, and wins:
  /// a learned peer that does not fit it is dropped. After a crash each file is the old or the new.
  /// Blocks on the disk, and whoever asks meanwhile.
  /// Errors: failed_precondition with the peers that were dropped; the system's own reason, after
  /// which there is still something to save.
  Result<> save(Entropy& entropy);

 private:
  struct List {
    State state = State::off;
    std::vector<KnownPeer> peers;
    std::size_t saved = 0;  ///< Those before stand in the file; the rest was learned since.
  };

  std::string path(Part part) const;
  const List& list(Part part) const { return lists_[static_cast<std::size_t>(part)]; }
  List& list(Part part) { return lists_[static_cast<std::size_t>(part)]; }
  Result<List> read_list(Part part) const;
  Result<> check_free(std::string_view name, const PublicKey& key) const;
  Result<> check_open(Part part, std::string_view name, const PublicKey& key) const;
  Result<KnownPeer> find(Part part, std::string_view name, const PublicKey& key) const;
  std::string learn_again(Part part, const List& before);
  Result<> save_list(Part part, Entropy& entropy);
  Result<> append_news(Part part, Entropy& entropy);

  const KeyFolder folder_;
  mutable std::mutex mutex_;  ///< Guards lists_.
  List lists_[2];
  std::function<void()> told_;
};

}  // namespace tubing::crypto
