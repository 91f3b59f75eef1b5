#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/skip.h"
#include "tests/tube/pipe_pair.h"
#include "tubing/crypto/cipher.h"

namespace tubing::cli {
namespace {

using crypto::file_bytes;
using crypto::overwrite;
using crypto::set_mode;
using crypto::TempFolder;

constexpr std::size_t kMiB = 1024 * 1024;

/// Makes a named pipe without room. Returns: its only reader.
int fill_fifo(const std::string& path) {
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const int writer = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE((reader >= 0 && writer >= 0));
  const std::string bytes(4096, '-');
  while (::write(writer, bytes.data(), bytes.size()) > 0) continue;
  ::close(writer);
  return reader;
}

TEST_CASE("tube pipe carries files in both directions at once unchanged") {
  const Pair pair;
  const std::string there = pair.file_of(5 * kMiB + 17, 1);
  const std::string back = pair.file_of(3 * kMiB, 2);
  const std::string at_alice = pair.folder.file("alice");
  const std::string at_bob = pair.folder.file("bob");
  Process alice = pair.listener({.in = back, .out = at_alice});
  Process bob = pair.dialler("alice@" + address_of(alice), {.in = there, .out = at_bob});
  const Finished dialled = bob.finish();
  const Finished served = alice.finish();
  CHECK(dialled.status == 0);
  CHECK(served.status == 0);
  CHECK((file_bytes(at_alice) == file_bytes(there)));
  CHECK((file_bytes(at_bob) == file_bytes(back)));
  check_told(dialled.err, {"tube: connected to alice\n", "sent 5.24 MB, received 3.15 MB"});
  check_told(served.err, {"tube: connected to bob\n", "sent 3.15 MB, received 5.24 MB"});
}

TEST_CASE("tube pipe carries an empty input and both ends exit in order") {
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/null"});
  const Finished dialled = pair.pipe({"alice@" + address_of(alice), "--as", "bob"});
  const Finished served = alice.finish();
  CHECK(dialled.status == 0);
  CHECK(served.status == 0);
  CHECK(dialled.out == "");
  CHECK(served.out == "");
}

TEST_CASE("tube pipe passes what is typed on at once") {
  const Pair pair;
  Process alice = pair.listener();
  Process bob = pair.dialler("alice@" + address_of(alice));
  for (int i = 0; i < 3; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    bob.type(line);
    alice.await_out(line);
    alice.type("heard " + line);
    bob.await_out("heard " + line);
  }
  bob.close_input();
  CHECK(alice.finish().status == 0);
  CHECK(bob.finish().status == 0);
}

TEST_CASE("tube pipe refuses a listener of another name and says who answered") {
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/null"});
  const std::string address = address_of(alice);
  check_refused(pair.pipe({"carol@" + address, "--as", "bob"}),
                {"unauthenticated", "carol was expected and alice", "correct the name"});
  // The listener still serves the one who knows whom it dials.
  CHECK(pair.pipe({"alice@" + address, "--as", "bob"}).status == 0);
  CHECK(alice.finish().status == 0);
}

TEST_CASE("tube pipe refuses a peer that another authority signed") {
  const Pair pair;
  const Pair strangers;
  Process alice = pair.listener({.in = "/dev/null"});
  const std::string address = address_of(alice);
  const Finished stranger = strangers.pipe({"alice@" + address, "--as", "bob"});
  check_refused(stranger, {"unauthenticated", "authority"});
  CHECK(stranger.out == "");
  CHECK(pair.pipe({"alice@" + address, "--as", "bob"}).status == 0);
  CHECK(alice.finish().status == 0);
}

TEST_CASE("tube pipe serves one peer and refuses the next at once") {
  const Pair pair;
  Process alice = pair.listener();
  const std::string address = address_of(alice);
  Process bob = pair.dialler("alice@" + address);
  bob.type("first");
  alice.await_out("first");
  check_refused(pair.pipe({"alice@" + address, "--as", "bob"}),
                {"unavailable", "alice is busy", "serves another peer"});
  bob.close_input();
  CHECK(alice.finish().status == 0);
  CHECK(bob.finish().status == 0);
}

TEST_CASE("tube pipe names the command that makes a missing key") {
  const Pair pair;
  const std::string none = pair.folder.file("none");
  check_refused(pair.pipe({"alice@127.0.0.1:1", "--dir", none}),
                {"no key in " + none, "tube key new NAME"});
  check_refused(pair.pipe({"alice@127.0.0.1:1", "--dir", none, "--as", "ben"}),
                {"no key ben in " + none, "tube key new ben"});
  check_refused(pair.pipe({"alice@127.0.0.1:1", "--as", "ben"}), {"tube key new ben"});
  std::filesystem::remove(pair.keys + "/bob.cert");
  check_refused(pair.pipe({"alice@127.0.0.1:1", "--as", "bob"}), {"bob.cert"});
  std::filesystem::remove(pair.keys + "/ca.pub");
  check_refused(pair.pipe({"bob@127.0.0.1:1", "--as", "alice"}), {"ca.pub"});
}

TEST_CASE("tube pipe asks for a folder of keys where the environment names none") {
  check_refused(run_process({TUBE_PROGRAM, "pipe", "alice@127.0.0.1:1"}, {}), {"HOME", "--dir"});
}

TEST_CASE("tube pipe takes no name that is not one") {
  const Pair pair;
  for (const std::string name : {"ca", "../bob", "Bob"}) {
    CAPTURE(name);
    const Finished finished = pair.pipe({"alice@127.0.0.1:1", "--as", name});
    check_refused(finished, {"invalid_argument", name});
    CHECK_FALSE(finished.err.contains("tube key new"));
  }
}

TEST_CASE("tube pipe takes the one key of the folder and else asks which") {
  const Pair pair;
  check_refused(pair.pipe({"alice@127.0.0.1:1"}), {"several keys", "--as NAME"});
  std::filesystem::remove(pair.keys + "/alice.key");
  Process bob(Pair::words({"--listen", "127.0.0.1:0"}, {}), pair.environment);
  bob.await_err("tube: bob listens at 127.0.0.1:");
}

TEST_CASE("tube pipe refuses a key file that others may read") {
  const Pair pair;
  set_mode(pair.keys + "/bob.key", 0644);
  check_refused(pair.pipe({"alice@127.0.0.1:1", "--as", "bob"}), {"bob.key", "chmod"});
}

TEST_CASE("tube pipe says when its peer has the very name that it has itself") {
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/null"});
  const Finished dialled = pair.pipe({"alice@" + address_of(alice), "--as", "alice"});
  CHECK(dialled.status == 0);
  check_told(dialled.err, {"connected to alice, who has our own name; --as NAME chooses"});
  check_told(alice.finish().err, {"connected to alice, who has our own name"});
}

TEST_CASE("tube pipe refuses files and folders in which others may say whom to believe") {
  const Pair pair;
  run_process({TUBE_PROGRAM, "key", "revoke", "0000000000000001"}, pair.environment);
  for (const std::string name : {"/ca.pub", "/revoked", ""}) {
    CAPTURE(name);
    const std::string path = pair.keys + name;
    const unsigned mode = crypto::mode_of(path);
    set_mode(path, mode | 022);
    check_refused(pair.pipe({"alice@127.0.0.1:1", "--as", "bob"}), {path, "chmod go-w " + path});
    set_mode(path, mode);
  }
}

TEST_CASE("tube pipe opens a sealed key with the passphrase of a file") {
  const Pair pair;
  const std::string good = pair.folder.file("good");
  const std::string bad = pair.folder.file("bad");
  overwrite(good, as_bytes("open sesame\n"));
  overwrite(bad, as_bytes("open barley\n"));
  pair.make_key({"carol", "--passphrase-file", good});
  Process alice = pair.listener({.in = "/dev/null"});
  const std::string peer = "alice@" + address_of(alice);
  check_refused(pair.pipe({peer, "--as", "carol", "--passphrase-file", bad}), {"wrong passphrase"});
  check_refused(pair.pipe({peer, "--as", "carol"}),
                {"Passphrase of", "carol.key", "--passphrase-file"});
  check_refused(pair.pipe({peer, "--as", "carol", "--passphrase-file", bad + "x"}), {bad + "x"});
  CHECK(pair.pipe({peer, "--as", "carol", "--passphrase-file", good}).status == 0);
  const Finished served = alice.finish();
  CHECK(served.status == 0);
  check_told(served.err, {"connected to carol"});
}

TEST_CASE("tube pipe refuses an address that is in use or that nobody listens at") {
  const Pair pair;
  Process alice = pair.listener();
  const std::string address = address_of(alice);
  check_refused(pair.pipe({"--listen", address, "--as", "bob"}),
                {"already_exists", address, "in use"});
  alice.kill(SIGKILL);
  alice.finish();
  check_refused(pair.pipe({"alice@" + address, "--as", "bob"}),
                {"unavailable", "refused", address, "is a server listening there?"});
}

TEST_CASE("tube pipe refuses an address without a name and one that is none") {
  const Pair pair;
  const std::string advice = "NAME@HOST:PORT";
  for (const std::string peer :
       {"127.0.0.1:7000", "@127.0.0.1:7000", "alice@127.0.0.1", "alice@"}) {
    CAPTURE(peer);
    check_refused(pair.pipe({peer, "--as", "bob"}), {"invalid_argument", advice});
  }
  for (const std::string address : {"127.0.0.1", "127.0.0.1:99999", "7000", "alice@127.0.0.1:0"}) {
    CAPTURE(address);
    check_refused(pair.pipe({"--listen", address, "--as", "bob"}), {"invalid_argument", address});
  }
}

TEST_CASE("tube pipe exits with status 2 for a command line that it does not understand") {
  const Pair pair;
  using Words = std::vector<std::string>;
  for (const Words& words :
       {Words{}, Words{"--as", "bob"}, Words{"--bogus"}, Words{"a@b:1", "c@d:2"},
        Words{"a@b:1", "--suite", "des"}, Words{"a@b:1", "--listen", "b:1"}, Words{"--listen"},
        Words{"a@b:1", "--progress=often"}}) {
    const std::string first = words.empty() ? "no words" : words[0];
    CAPTURE(first);
    const Finished finished = pair.pipe(words);
    CHECK(finished.status == 2);
    CHECK(finished.out == "");
    CHECK(finished.err != "");
  }
}

TEST_CASE("tube pipe reads whom to believe again on SIGHUP and drops whom it believes no more") {
  const Pair pair;
  Process alice = pair.listener();
  Process bob = pair.dialler("alice@" + address_of(alice));
  bob.type("so far");
  alice.await_out("so far");
  const Finished revoked = run_process({TUBE_PROGRAM, "key", "revoke", "bob"}, pair.environment);
  REQUIRE(revoked.status == 0);
  alice.kill(SIGHUP);
  alice.await_err("revoked");
  check_refused(alice.finish(), {"lost"});
  check_refused(bob.finish(), {"lost"});
}

TEST_CASE("tube pipe goes on by what it has read before where SIGHUP brings a bad file") {
  const Pair pair;
  Process alice = pair.listener();
  Process bob = pair.dialler("alice@" + address_of(alice));
  bob.type("before");
  alice.await_out("before");
  overwrite(pair.keys + "/revoked", as_bytes("bob\n"));
  alice.kill(SIGHUP);
  alice.await_err("error rpc: reload: data_loss: " + pair.keys + "/revoked: it does not end");
  alice.await_err("; what was in force before stays so\n");
  bob.type(", and after");
  alice.await_out(", and after");
  bob.close_input();
  CHECK(alice.finish().status == 0);
  CHECK(bob.finish().status == 0);
}

TEST_CASE("tube pipe says what a SIGHUP had it read unless it is quiet") {
  const Pair pair;
  for (const bool quiet : {false, true}) {
    CAPTURE(quiet);
    const std::vector<std::string> more =
        quiet ? std::vector<std::string>{"--quiet"} : std::vector<std::string>{};
    Process alice = pair.listener();
    Process bob = pair.dialler("alice@" + address_of(alice), {}, more);
    bob.type("up");
    alice.await_out("up");
    bob.kill(SIGHUP);
    if (!quiet) bob.await_err(" and bob.cert (as before, until ");
    bob.kill(SIGQUIT);
    bob.await_err(" main #0: waits in ");
    bob.close_input();
    CHECK(alice.finish().status == 0);
    const std::string told = bob.finish().err;
    CHECK(told.contains("Z info rpc: read again: the trust files of " + pair.keys +
                        " (0 entries revoke, 0 sessions ended)") != quiet);
  }
}

TEST_CASE("tube pipe ends by the SIGHUP of a terminal that is closed") {
  const Pair pair;
  const Finished finished =
      run_until_hangup(Pair::words({"--listen", "127.0.0.1:0", "--as", "alice"}, {}),
                       pair.environment, "listens at");
  CHECK(finished.status == 128 + SIGHUP);
}

TEST_CASE("tube pipe prints its tasks and sessions on SIGQUIT and goes on") {
  const Pair pair;
  Process alice = pair.listener();
  const std::string address = address_of(alice);
  alice.kill(SIGQUIT);  // nobody has dialled yet
  alice.await_err("sessions: 0;");
  Process bob = pair.dialler("alice@" + address);
  bob.type("before");
  alice.await_out("before");
  alice.kill(SIGQUIT);
  alice.await_err("sessions: 1;");
  alice.await_err("tube.pipe.v1 ");
  check_told(alice.await_err(" untaken ("),
             {"tasks: ", " main #0: waits in ", " bob from 127.0.0.1:"});
  bob.type(", and after");
  alice.await_out(", and after");
  bob.close_input();
  CHECK(alice.finish().status == 0);
  CHECK(bob.finish().status == 0);
}

TEST_CASE("tube pipe goes on while nobody reads its standard error") {
  Pair pair;
  pair.environment.push_back("TUBING_LOG=rpc=debug");
  Process alice = pair.listener();
  const std::string address = address_of(alice);
  const std::string full = pair.folder.file("full");
  const int reader = fill_fifo(full);
  Process bob = pair.dialler("alice@" + address, {.err = full}, {"--progress"});
  bob.type("before");
  alice.await_out("before");
  bob.kill(SIGQUIT);
  for (const char* text : {", and after", ", and still"}) {
    bob.type(text);
    alice.await_out(text);
  }
  ::close(reader);  // Else its end would wait for a reader, though not for long.
  bob.close_input();
  CHECK(alice.finish().status == 0);
  CHECK(bob.finish().status == 0);
}

TEST_CASE("tube pipe tells of its peers what TUBING_LOG asks for") {
  Pair pair;
  for (const std::string level : {"", "*=warning", "rpc=debug", "rpc=info"}) {
    CAPTURE(level);
    pair.environment.resize(1);
    pair.environment.push_back("TUBING_LOG=" + level);
    Process alice = pair.listener({.in = "/dev/null"});
    const Finished dialled = pair.pipe({"alice@" + address_of(alice), "--as", "bob"});
    const Finished served = alice.finish();
    CHECK(dialled.status == 0);
    CHECK(served.status == 0);
    CAPTURE(dialled.err);
    CAPTURE(served.err);
    CHECK(dialled.err.contains("Z debug rpc: ") == (level == "rpc=debug"));
    CHECK(dialled.err.contains(": dialling alice\n") == (level == "rpc=debug"));
    CHECK(served.err.contains("Z info rpc: ") == level.starts_with("rpc"));
    CHECK(served.err.contains(": session with bob (") == level.starts_with("rpc"));
  }
}

TEST_CASE("tube pipe names a bad entry of TUBING_LOG once and goes on") {
  Pair pair;
  pair.environment.push_back("TUBING_LOG=rpc=loud,*=debug");
  Process alice = pair.listener({.in = "/dev/null"});
  const Finished dialled = pair.pipe({"alice@" + address_of(alice), "--as", "bob"});
  CHECK(dialled.status == 0);
  CHECK(alice.finish().status == 0);
  check_told(dialled.err, {"TUBING_LOG: ", "\"rpc=loud\"", "debug, info, warning, error\n"});
  CHECK(dialled.err.find("TUBING_LOG") == dialled.err.rfind("TUBING_LOG"));
  CHECK_FALSE(dialled.err.contains("debug rpc: "));
}

TEST_CASE("tube pipe speaks with a pre-shared key to those who have the same one") {
  const Pair pair;
  const std::string one = pair.make_psk("one");
  const std::string other = pair.make_psk("other");
  Process alice = pair.listener({.in = "/dev/null"}, {"--psk", one});
  const std::string peer = "alice@" + address_of(alice);
  check_refused(pair.pipe({peer, "--as", "bob"}), {"pre-shared key"});
  check_refused(pair.pipe({peer, "--as", "bob", "--psk", other}), {"pre-shared key"});
  CHECK(pair.pipe({peer, "--as", "bob", "--psk", one}).status == 0);
  CHECK(alice.finish().status == 0);
}

TEST_CASE("tube pipe names what is wrong with the file of a pre-shared key") {
  const Pair pair;
  const auto refused = [&](const std::string& file, std::initializer_list<std::string> told) {
    check_refused(pair.pipe({"alice@127.0.0.1:1", "--as", "bob", "--psk", file}), told);
  };
  refused(pair.folder.file("none"), {"not_found", pair.folder.file("none")});
  refused(pair.keys + "/bob.key", {"bob.key", "is no pre-shared key", "tube key psk"});
  const std::string open_to_all = pair.make_psk("open");
  set_mode(open_to_all, 0644);
  refused(open_to_all, {open_to_all, "chmod"});
}

TEST_CASE("tube pipe speaks the suite that both sides name") {
  if (!crypto::cipher_available(crypto::Cipher::aes_gcm))
    tests::skip("this processor has no instructions for AES-GCM");
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/null"}, {"--suite", "aes"});
  const std::string peer = "alice@" + address_of(alice);
  check_refused(pair.pipe({peer, "--as", "bob"}), {"ChaChaPoly", "not that", "--suite"});
  alice.await_err("(ChaChaPoly) and the listener takes suite 2 (AESGCM): name the same suite");
  CHECK(pair.pipe({peer, "--as", "bob", "--suite", "aes"}).status == 0);
  CHECK(alice.finish().status == 0);
}

TEST_CASE("tube pipe prints its help with both commands that make a pipe") {
  const Finished finished = run_process({TUBE_PROGRAM, "pipe", "--help"}, {"HOME=/nowhere"});
  CHECK(finished.status == 0);
  CHECK(finished.err == "");
  check_told(finished.out, {"tube pipe --listen 0.0.0.0:7000", "tube pipe NAME@HOST:7000 < file",
                            "--passphrase-file", "--progress", "--quiet", "/nowhere", "--psk",
                            "--suite", "chacha", "aes", "SIGHUP", "SIGQUIT", "TUBING_LOG"});
}

TEST_CASE("tube pipe shows progress where asked to and on standard error alone") {
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/null"});
  Process bob = pair.dialler("alice@" + address_of(alice), {}, {"--progress"});
  bob.type("ten bytes.");
  bob.await_err("\r\033[Ksent 10 B, received 0 B, ");
  const Finished dialled = bob.finish();
  const Finished served = alice.finish();
  CHECK(dialled.status == 0);
  CHECK(dialled.out == "");
  CHECK(served.out == "ten bytes.");
  CHECK_FALSE(served.err.contains('\r'));
}

TEST_CASE("tube pipe prints nothing but errors when it is quiet") {
  const Pair pair;
  Process alice = pair.listener({.in = "/dev/null"});
  const std::string address = address_of(alice);
  const Finished dialled = pair.pipe({"alice@" + address, "--as", "bob", "--quiet"});
  CHECK(dialled.status == 0);
  CHECK(dialled.err == "");
  CHECK(alice.finish().status == 0);
  check_refused(pair.pipe({"alice@" + address, "--as", "bob", "--quiet"}), {"unavailable"});
}

TEST_CASE("tube pipe names the standard descriptor that is closed before it connects") {
  const Pair pair;
  struct Row {
    const char* redirection;
    const char* told;
  };
  for (const Row& row : {Row{"<&-", "descriptor 0 cannot be used for reading"},
                         Row{">&-", "descriptor 1 cannot be used for writing"}}) {
    CAPTURE(row.redirection);
    for (const std::string where : {"alice@127.0.0.1:1", "--listen 127.0.0.1:0"}) {
      const std::string command =
          std::string("exec ") + TUBE_PROGRAM + " pipe --as bob " + where + " " + row.redirection;
      const Finished finished = run_process({"/bin/sh", "-c", command}, pair.environment);
      check_refused(finished, {row.told});
      CHECK(finished.err.starts_with("tube: stdio"));  // before it listens, and before it dials
    }
  }
}

TEST_CASE("tube pipe carries on where nobody hears its messages") {
  const Pair pair;
  for (const std::string redirection : {"2>/dev/full", "2>&-"}) {
    CAPTURE(redirection);
    Process alice = pair.listener({.in = "/dev/null"});
    const std::string command = std::string("echo data | ") + TUBE_PROGRAM +
                                " pipe --progress --as bob alice@" + address_of(alice) + " " +
                                redirection;
    CHECK(run_process({"/bin/sh", "-c", command}, pair.environment).status == 0);
    const Finished served = alice.finish();
    CHECK(served.status == 0);
    CHECK(served.out == "data\n");
  }
}

}  // namespace
}  // namespace tubing::cli
