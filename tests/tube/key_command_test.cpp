#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/crypto/temp_folder.h"
#include "tests/tube/process.h"
#include "tubing/channel/base/version.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"
#include "tubing/crypto/psk_file.h"
#include "tubing/crypto/revocations.h"
#include "tubing/crypto/system_entropy.h"

namespace tubing::cli {
namespace {

using crypto::file_bytes;
using crypto::mode_of;
using crypto::overwrite;
using crypto::set_mode;
using crypto::TempFolder;

/// A home of its own, with the folder of keys that the program uses there.
struct Home {
  TempFolder folder;
  std::string keys = folder.file("keys");
  Environment environment{"TUBING_KEYS=" + keys};

  std::string file(const std::string& name) const { return keys + "/" + name; }
  /// Runs `tube key` with these words.
  Finished key(const std::vector<std::string>& words) const {
    return run_process(command(words), environment);
  }
  static std::vector<std::string> command(const std::vector<std::string>& words) {
    std::vector<std::string> all{TUBE_PROGRAM, "key"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  /// Makes what the test builds upon.
  void made(const std::vector<std::string>& words) const {
    const Finished finished = key(words);
    CAPTURE(finished.err);
    REQUIRE(finished.status == 0);
  }
};

void check_told(const std::string& text, std::initializer_list<std::string> told) {
  CAPTURE(text);
  for (const std::string& words : told) {
    CAPTURE(words);
    CHECK(text.contains(words));
  }
}

/// Checks for a refusal that says all of `told` in one line, and prints nothing else.
void check_refused(const Finished& finished, std::initializer_list<std::string> told) {
  CHECK(finished.status == 1);
  CHECK(finished.out == "");
  CHECK(finished.err.starts_with("tube: "));
  CHECK(finished.err.find('\n') == finished.err.size() - 1);
  check_told(finished.err, told);
}

TEST_CASE("tube prints the versions of the library and of its formats") {
  const Finished finished = run_process({TUBE_PROGRAM, "--version"}, {});
  CHECK(finished.status == 0);
  check_told(finished.out,
             {"tube " + std::string(kLibraryVersion), "wire format 1", "certificate format 1"});
}

TEST_CASE("tube key new makes a usable key and a missing authority in one command") {
  const Home home;
  const Finished finished = home.key({"new", "db-1"});
  CHECK(finished.status == 0);
  check_told(finished.out,
             {"no authority in " + home.keys + ", so one was made", "Made db-1", "db-1@HOST:PORT"});
  CHECK(mode_of(home.keys) == 0700);
  CHECK(mode_of(home.file("ca.key")) == 0600);
  CHECK(mode_of(home.file("db-1.key")) == 0600);
  const Finished verified = home.key({"verify", "db-1"});
  CHECK(verified.status == 0);
  check_told(verified.out, {"db-1.cert is good: db-1, usage both, valid until"});
}

TEST_CASE("tube key new uses the authority that is there") {
  const Home home;
  home.made({"ca"});
  const auto authority = file_bytes(home.file("ca.pub"));
  const Finished finished = home.key({"new", "db-1"});
  CHECK(finished.status == 0);
  CHECK_FALSE(finished.out.contains("authority"));
  CHECK(file_bytes(home.file("ca.pub")) == authority);
  CHECK(home.key({"verify", "db-1"}).status == 0);
}

TEST_CASE("tube key new puts its options into the certificate") {
  const Home home;
  home.made({"new", "--email", "ann@example.org", "--usage", "server", "--days", "2", "--role",
             "storage", "--role", "admin", "db-1"});
  const auto certificate = crypto::read_certificate_file(home.file("db-1.cert"));
  REQUIRE(certificate.has_value());
  const crypto::Claims& claims = certificate->claims;
  CHECK(claims.name == "db-1");
  CHECK(claims.roles == std::vector<std::string>{"admin", "storage"});
  CHECK(claims.email == "ann@example.org");
  CHECK(claims.usage == crypto::Usage::server);
  const std::int64_t slack_seconds = 300;
  CHECK(claims.not_after.seconds() - claims.not_before.seconds() == 2 * 86'400 + slack_seconds);
}

TEST_CASE("tube key overwrites neither a key nor an authority") {
  const Home home;
  home.made({"new", "db-1"});
  const auto key = file_bytes(home.file("db-1.key"));
  check_refused(home.key({"new", "db-1"}), {"db-1.key exists", "tube key renew db-1"});
  check_refused(home.key({"ca"}), {"ca.key exists", "--dir"});
  CHECK(file_bytes(home.file("db-1.key")) == key);
}

TEST_CASE("tube key refuses a bad command line with status 2 and makes nothing") {
  const Home home;
  struct Row {
    std::vector<std::string> words;
    std::string told;
  };
  for (const Row& row : {Row{{}, "subcommand is required"}, Row{{"new"}, "NAME is required"},
                         Row{{"new", "DB"}, "only lower-case letters"},
                         Row{{"new", "ca"}, "stands for the authority"},
                         Row{{"new", "a", "--usage", "peer"}, "client"},
                         Row{{"new", "a", "--role", "B"}, "a role has the byte 0x42"},
                         Row{{"new", "a", "--role", "b", "c"}, "c"},
                         Row{{"new", "a", "--email", "ann"}, "as in ann@example.org"},
                         Row{{"new", "a", "--days", "0"}, "1"},
                         Row{{"new", "a", "--passphrase", "secret"}, "secret"},
                         Row{{"new", "a", "--passphrase", "--passphrase-file", "f"}, "excludes"}}) {
    CAPTURE(row.told);
    const Finished finished = home.key(row.words);
    CHECK(finished.status == 2);
    check_told(finished.err, {row.told});
  }
  CHECK(home.folder.files() == 0);
}

TEST_CASE("tube key says which folder it needs") {
  const Finished finished = run_process(Home::command({"new", "db-1"}), {});
  check_refused(finished, {"TUBING_KEYS", "--dir"});
  const TempFolder folder;
  REQUIRE(run_process(Home::command({"new", "db-1"}), {"HOME=" + folder.path()}).status == 0);
  CHECK(std::filesystem::exists(folder.file(".config/tubing/db-1.key")));
}

TEST_CASE("tube key fails where its output cannot be written") {
  const Home home;
  home.made({"new", "db-1"});
  for (const auto& command :
       {Home::command({"show", "db-1", "--json"}), Home::command({"--help"})}) {
    Process full(command, home.environment, {.out = "/dev/full"});
    const Finished finished = full.finish();
    check_refused(finished, {"standard output could not be written"});
    CHECK_FALSE(finished.err.contains("Still"));
  }
}

TEST_CASE("tube key says what it has made where its output cannot be written") {
  const Home home;
  for (const auto& [words, told] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"ca"}, home.file("ca.key") + " was made"},
           {{"new", "dora"}, home.file("dora.key") + " was made"},
           {{"renew", "dora"}, home.file("dora.cert") + " was renewed"},
           {{"revoke", "dora"}, home.file("revoked") + " was written"},
           {{"psk"}, home.file("shared.psk") + " was made"}}) {
    CAPTURE(told);
    Process full(Home::command(words), home.environment, {.out = "/dev/full"});
    check_refused(full.finish(), {"standard output could not be written", "Still, " + told});
    CHECK(std::filesystem::exists(told.substr(0, told.find(' '))));
  }
}

TEST_CASE("tube key puts nothing into a folder where others may do so too") {
  const Home home;
  std::filesystem::create_directory(home.keys);
  set_mode(home.keys, 0777);
  check_refused(home.key({"new", "db-1"}), {home.keys + " has mode 0777", "chmod go-w"});
  CHECK(std::filesystem::is_empty(home.keys));
}

TEST_CASE("tube key ca --rotate leaves nothing behind where it could not hand over") {
  const Home home;
  home.made({"ca"});
  overwrite(home.file("ca.pub"), as_bytes("nobody\n"));
  check_refused(home.key({"ca", "--rotate"}), {"ca.pub: line 1"});
  CHECK_FALSE(std::filesystem::exists(home.file("ca.key.next")));
  CHECK_FALSE(std::filesystem::exists(home.file("ca.key.old")));
}

TEST_CASE("tube key show tells what may be known and no secret") {
  const Home home;
  home.made({"new", "db-1", "--role", "admin"});
  const Finished lines = home.key({"show", "db-1"});
  CHECK(lines.status == 0);
  const auto identity = crypto::read_key_file(home.file("db-1.key"));
  REQUIRE(identity.has_value());
  const std::string fingerprint = identity->public_key().fingerprint();
  check_told(lines.out, {home.file("db-1.cert"), "admin", "both", fingerprint, "valid_until"});
  CHECK_FALSE(lines.out.contains(to_hex(identity->seed())));
  CHECK_FALSE(lines.out.contains(as_text(identity->seed())));
  check_told(home.key({"show", home.file("ca.pub")}).out, {"authorities", "ed25519:"});
  check_told(home.key({"show", "ca"}).out, {"ca.pub", "ca.key"});
}

TEST_CASE("tube key show prints JSON on request") {
  const Home home;
  home.made({"new", "db-1"});
  const auto json = nlohmann::json::parse(home.key({"show", "db-1", "--json"}).out, nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  CHECK(json[home.file("db-1.cert")]["name"] == "db-1");
  CHECK(json[home.file("db-1.key")]["needs_passphrase"] == false);
  CHECK(json[home.file("db-1.key")]["key"] == json[home.file("db-1.cert")]["key"]);
}

TEST_CASE("tube key says what to do about a key that is not there") {
  const Home home;
  home.made({"ca"});
  for (const std::string command : {"show", "verify", "renew"}) {
    CAPTURE(command);
    check_refused(home.key({command, "db-1"}),
                  {"no key db-1 in " + home.keys, "`tube key new db-1`"});
  }
}

TEST_CASE("tube key verify refuses the certificate of a foreign authority") {
  const Home home;
  const Home abroad;
  home.made({"new", "db-1"});
  abroad.made({"ca"});
  check_refused(home.key({"verify", "db-1", "--ca", abroad.file("ca.pub")}), {"foreign authority"});
  CHECK(home.key({"verify", "db-1", "--ca", home.file("ca.pub")}).status == 0);
}

TEST_CASE("tube key verify refuses an expired certificate with the way to renew it") {
  const Home home;
  home.made({"new", "db-1"});
  const crypto::Authority authority(*crypto::read_key_file(home.file("ca.key")));
  crypto::Certificate expired = *crypto::read_certificate_file(home.file("db-1.cert"));
  crypto::SystemEntropy entropy;
  expired.claims.not_before = WallTime::from_seconds(1);
  expired.claims.not_after = WallTime::from_seconds(2);
  expired = *authority.issue(expired.claims, entropy);
  REQUIRE(crypto::write_certificate_file(home.file("db-1.cert"), expired, crypto::IfExists::replace,
                                         entropy)
              .has_value());
  check_refused(home.key({"verify", "db-1"}),
                {"expired on 1970-01-01 00:00:02 UTC", "`tube key renew db-1`"});
  home.made({"renew", "db-1"});
  CHECK(home.key({"verify", "db-1"}).status == 0);
}

TEST_CASE("tube key verify refuses files that do not belong to the name") {
  const Home home;
  home.made({"new", "db-1"});
  home.made({"new", "db-2"});
  overwrite(home.file("db-1.cert"), file_bytes(home.file("db-2.cert")));
  check_refused(home.key({"verify", "db-1"}), {"db-1 was expected and db-2"});
  check_refused(home.key({"verify", home.file("db-1.cert")}), {"bring the two that belong"});
}

TEST_CASE("tube key verify refuses a key that others may read") {
  const Home home;
  home.made({"new", "db-1"});
  set_mode(home.file("db-1.key"), 0644);
  check_refused(home.key({"verify", "db-1"}),
                {"has mode 0644", "`chmod 600 " + home.file("db-1.key") + "`"});
}

TEST_CASE("tube key renew keeps the key and the claims that were not named") {
  const Home home;
  home.made({"new", "db-1", "--role", "admin", "--usage", "server", "--email", "a@b"});
  const auto before = crypto::read_certificate_file(home.file("db-1.cert"));
  home.made({"renew", "db-1", "--usage", "both"});
  const auto after = crypto::read_certificate_file(home.file("db-1.cert"));
  REQUIRE((before.has_value() && after.has_value()));
  CHECK(after->serial != before->serial);
  CHECK(after->claims.subject == before->claims.subject);
  CHECK(after->claims.roles == before->claims.roles);
  CHECK(after->claims.email == before->claims.email);
  CHECK(after->claims.usage == crypto::Usage::both);
  CHECK(home.key({"verify", "db-1"}).status == 0);
}

TEST_CASE("tube key signs only where the authority's key lies") {
  const Home home;
  home.made({"ca"});
  std::filesystem::remove(home.file("ca.key"));
  check_refused(home.key({"new", "db-1"}), {"there is no " + home.file("ca.key"), "--dir"});
  CHECK_FALSE(std::filesystem::exists(home.file("db-1.key")));
}

TEST_CASE("tube key seals an authority with a passphrase from a file") {
  const Home home;
  const std::string good = home.folder.file("good");
  const std::string bad = home.folder.file("bad");
  overwrite(good, as_bytes("correct horse\n"));
  overwrite(bad, as_bytes("correct Horse\n"));
  home.made({"ca", "--passphrase-file", good});
  check_told(home.key({"show", "ca"}).out, {"needs_passphrase  true"});
  check_refused(home.key({"new", "a", "--ca-passphrase-file", bad}), {"wrong passphrase"});
  check_refused(home.key({"new", "a"}), {"no terminal", "--ca-passphrase-file"});
  CHECK_FALSE(std::filesystem::exists(home.file("a.key")));
  home.made({"new", "a", "--ca-passphrase-file", good});
  CHECK(home.key({"verify", "a"}).status == 0);
}

TEST_CASE("tube key refuses a passphrase file that is missing or empty") {
  const Home home;
  const std::string empty = home.folder.file("empty");
  overwrite(empty, as_bytes("\n"));
  check_refused(home.key({"ca", "--passphrase-file", empty}), {"empty: the passphrase is empty"});
  check_refused(home.key({"ca", "--passphrase-file", home.folder.file("none")}),
                {"none: No such file"});
  check_refused(home.key({"ca", "--passphrase"}), {"no terminal", "--passphrase-file"});
  CHECK_FALSE(std::filesystem::exists(home.file("ca.key")));
}

TEST_CASE("a passphrase that is typed on a terminal is not shown") {
  const Home home;
  const Finished made = run_on_terminal(Home::command({"ca", "--passphrase"}), home.environment,
                                        {"correct horse", "correct horse"});
  check_told(made.out, {"New passphrase for ca.key", "Made an authority"});
  CHECK(made.status == 0);
  CHECK_FALSE(made.out.contains("horse"));
  CHECK(crypto::read_key_file(home.file("ca.key"), "correct horse").has_value());
}

TEST_CASE("two passphrases that differ make nothing") {
  const Home home;
  const Finished made = run_on_terminal(Home::command({"ca", "--passphrase"}), home.environment,
                                        {"correct horse", "correct Horse"});
  CHECK(made.status == 1);
  check_told(made.out, {"the two passphrases differ"});
  CHECK_FALSE(std::filesystem::exists(home.file("ca.key")));
}

TEST_CASE("tube key revoke takes a name back for good and says so everywhere") {
  const Home home;
  home.made({"new", "db-1"});
  home.made({"new", "db-2"});
  const Finished first = home.key({"revoke", "db-1"});
  CHECK(first.status == 0);
  check_told(first.out, {"Revoked in " + home.file("revoked"), "key ed25519:", "SIGHUP"});
  const auto file = file_bytes(home.file("revoked"));
  const Finished again = home.key({"revoke", "db-1"});
  CHECK(again.status == 0);
  check_told(again.out, {"Revoked already"});
  CHECK(file_bytes(home.file("revoked")) == file);
  check_refused(home.key({"verify", "db-1"}), {"the key of db-1", "was revoked"});
  check_told(home.key({"show", "db-1"}).out, {"revoked           true"});
  check_told(home.key({"show", "db-2"}).out, {"revoked           false"});
  home.made({"renew", "db-1"});
  check_refused(home.key({"verify", "db-1"}), {"was revoked"});
  CHECK(home.key({"verify", "db-2"}).status == 0);
}

TEST_CASE("tube key revoke takes a fingerprint and a certificate and a serial") {
  const Home home;
  for (const std::string name : {"a", "b", "c"}) home.made({"new", name});
  const auto certificate = [&](const std::string& name) {
    return *crypto::read_certificate_file(home.file(name + ".cert"));
  };
  home.made({"revoke", certificate("a").claims.subject.fingerprint()});
  check_refused(home.key({"verify", "a"}), {"the key of a"});
  home.made({"revoke", home.file("b.cert")});
  check_refused(home.key({"verify", "b"}),
                {"the certificate " + crypto::serial_text(certificate("b").serial)});
  home.made({"renew", "b"});
  CHECK(home.key({"verify", "b"}).status == 0);
  const auto json = nlohmann::json::parse(
      home.key({"revoke", crypto::serial_text(certificate("c").serial), "--json"}).out, nullptr,
      false);
  REQUIRE_FALSE(json.is_discarded());
  CHECK(json["added"] == true);
  CHECK(json["revoked"].size() == 1);
  check_refused(home.key({"verify", "c"}), {"was revoked"});
  check_refused(home.key({"revoke", "nobody"}), {"no key nobody"});
  check_refused(home.key({"revoke", "ed25519:abc"}), {"11 characters"});
}

TEST_CASE("tube key revoke --rewrite closes a list that was edited and nothing else does") {
  const Home home;
  home.made({"new", "a"});
  home.made({"new", "b"});
  home.made({"revoke", "a"});
  const auto bytes = file_bytes(home.file("revoked"));
  const std::string whole(as_text(bytes));
  overwrite(home.file("revoked"), as_bytes(whole.substr(0, whole.find("key "))));
  for (const auto& words :
       {std::vector<std::string>{"verify", "a"}, {"show", "a"}, {"revoke", "b"}})
    check_refused(home.key(words),
                  {home.file("revoked") + ": ", "closing line", "tube key revoke --rewrite"});
  overwrite(home.file("revoked"), as_bytes("# by hand\n" + whole));
  check_refused(home.key({"verify", "a"}), {"closing line", "tube key revoke --rewrite"});
  check_told(home.key({"revoke", "--rewrite"}).out, {"it revokes 1 keys and certificates"});
  check_refused(home.key({"verify", "a"}), {"was revoked"});
  home.made({"revoke", "b"});
  const auto json =
      nlohmann::json::parse(home.key({"revoke", "--rewrite", "--json"}).out, nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  CHECK(json["count"] == 2);
  overwrite(home.file("revoked"), as_bytes("what\n"));
  check_refused(home.key({"revoke", "--rewrite"}), {"revoked: line 1: is neither"});
  CHECK(home.key({"revoke"}).status == 2);
  CHECK(home.key({"revoke", "a", "--rewrite"}).status == 2);
}

TEST_CASE("tube key revoke says where no certificate here has the serial") {
  const Home home;
  home.made({"new", "a"});
  const auto certificate = crypto::read_certificate_file(home.file("a.cert"));
  REQUIRE(certificate.has_value());
  const std::string told = "No certificate in " + home.keys + " has this serial";
  check_told(home.key({"revoke", "0000000000000000"}).out, {told, "tube key show"});
  for (const std::string& known :
       {crypto::serial_text(certificate->serial), home.file("a.cert"), std::string("a")}) {
    const Finished finished = home.key({"revoke", known});
    CHECK(finished.status == 0);
    CHECK_FALSE(finished.out.contains(told));
  }
}

TEST_CASE("tube key says what a word is not that is neither a name nor a file of keys") {
  const Home home;
  home.made({"new", "a"});
  for (const std::string command : {"show", "verify", "revoke"})
    for (const std::string word : {"/dev/null", "", "A"}) {
      CAPTURE(command);
      CAPTURE(word);
      const Finished finished = home.key({command, word});
      check_refused(finished, {"\"" + word + "\" is no file that ends in", ", and no NAME: "});
      CHECK_FALSE(finished.err.contains("tube key new"));
    }
}

TEST_CASE("tube key ca --rotate hands over to a new authority step by step") {
  const Home home;
  check_refused(home.key({"ca", "--rotate"}), {"no " + home.file("ca.key") + " to take over from"});
  home.made({"new", "a"});
  home.made({"new", "b"});
  const auto old = crypto::read_authority_file(home.file("ca.pub"));
  const Finished rotated = home.key({"ca", "--rotate"});
  CHECK(rotated.status == 0);
  check_told(rotated.out, {"`tube key revoke " + (*old)[0].fingerprint() + "`", "ca.key.old"});
  CHECK(mode_of(home.file("ca.key")) == 0600);
  CHECK(crypto::read_authority_file(home.file("ca.pub"))->size() == 2);
  check_refused(home.key({"ca", "--rotate"}), {"ca.key.old exists"});
  CHECK(home.key({"verify", "a"}).status == 0);
  home.made({"renew", "a"});
  home.made({"revoke", (*old)[0].fingerprint()});
  CHECK(home.key({"verify", "a"}).status == 0);
  check_refused(home.key({"verify", "b"}), {"the authority that vouched for b"});
}

TEST_CASE("tube key psk makes a key that both sides can compare") {
  const Home home;
  const Finished made = home.key({"psk"});
  CHECK(made.status == 0);
  const auto psk = crypto::read_psk_file(home.file("shared.psk"));
  REQUIRE(psk.has_value());
  CHECK(mode_of(home.file("shared.psk")) == 0600);
  check_told(made.out, {"checksum     " + crypto::psk_checksum(*psk)});
  CHECK_FALSE(made.out.contains(to_hex(psk->view())));
  check_told(home.key({"show", home.file("shared.psk")}).out, {crypto::psk_checksum(*psk)});
  check_refused(home.key({"psk"}), {"shared.psk exists"});
  const std::string other = home.folder.file("other.psk");
  const auto json = nlohmann::json::parse(home.key({"psk", other, "--json"}).out, nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  CHECK(json["file"] == other);
  CHECK(home.key({"psk", home.folder.file("other")}).status == 2);
}

TEST_CASE("many first keys made at once share one authority") {
  const Home home;
  std::vector<std::unique_ptr<Process>> makers;
  for (int i = 0; i < 12; ++i)
    makers.push_back(std::make_unique<Process>(Home::command({"new", "n" + std::to_string(i)}),
                                               home.environment));
  for (const auto& maker : makers) {
    const Finished finished = maker->finish();
    CAPTURE(finished.err);
    CHECK(finished.status == 0);
  }
  for (int i = 0; i < 12; ++i) CHECK(home.key({"verify", "n" + std::to_string(i)}).status == 0);
}

}  // namespace
}  // namespace tubing::cli
