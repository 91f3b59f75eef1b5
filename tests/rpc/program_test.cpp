#include "tubing/rpc/program.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "tests/crypto/temp_folder.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"
#include "tubing/crypto/key_folder.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/blocking.h"

namespace tubing {

inline std::ostream& operator<<(std::ostream& out, Code code) { return out << code_name(code); }

namespace rpc {
namespace {

using namespace std::literals;
using crypto::overwrite;
using crypto::set_mode;

constexpr std::int64_t kDay = 86'400;
inline constexpr Service<std::string, std::string> kText{"text.v1", 8};

/// Keeps what loops on other threads tell.
class HeardLog final : public Logger {
 public:
  void log(LogLevel level, std::string_view, std::string_view line) override {
    const std::scoped_lock guard(mutex_);
    lines_ += std::string(line) + "\n";
    if (level >= LogLevel::warning) warnings_ += std::string(line) + "\n";
    changed_.notify_all();
  }
  /// Whether a line says it, now or soon.
  bool hears(std::string_view text) { return hears(lines_, text); }
  bool is_warned(std::string_view text) { return hears(warnings_, text); }
  /// What warned so far.
  std::string warnings() {
    const std::scoped_lock guard(mutex_);
    return warnings_;
  }

 private:
  bool hears(const std::string& lines, std::string_view text) {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, 20s, [&] { return lines.contains(text); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string lines_;
  std::string warnings_;
};

struct Paper {
  std::vector<std::string> roles = {};
  std::int64_t days_from = -1;
  std::int64_t days_until = 30;
};

/// A key folder with an authority, and programs that run by it.
struct Scene {
  crypto::TempFolder temp;
  crypto::KeyFolder files{temp.path()};
  crypto::SystemEntropy entropy;
  crypto::Authority authority = crypto::Authority::generate(entropy);
  std::map<std::string, crypto::Identity> identities;

  Scene() {
    write("ca.pub", authority.public_key().fingerprint() + "\n");
    make_key("alice");
    make_key("bob");
  }
  /// Puts these lines into a whole file `revoked`.
  void revoke(const std::string& lines) const { write("revoked", crypto::revocations_text(lines)); }
  void write(const std::string& name, const std::string& text) const {
    overwrite(temp.file(name), as_bytes(text));
    set_mode(temp.file(name), 0600);
  }
  std::string read(const std::string& name) const {
    return std::string(as_text(crypto::file_bytes(temp.file(name))));
  }
  void make_key(const std::string& name, const Paper& paper = {}) {
    identities.insert_or_assign(name, crypto::Identity::generate(entropy));
    std::filesystem::remove(files.key_of(name));
    REQUIRE(crypto::write_key_file(files.key_of(name), identities.at(name), {}, entropy));
    issue(name, paper);
  }
  void issue(const std::string& name, const Paper& paper, std::string written_as = {}) {
    const std::int64_t now = channel::UvReactor().wall_now().seconds();
    const auto certificate =
        authority.issue({.subject = identities.at(name).public_key(),
                         .name = written_as.empty() ? name : written_as,
                         .email = "",
                         .roles = paper.roles,
                         .usage = crypto::Usage::both,
                         .not_before = WallTime::from_seconds(now + paper.days_from * kDay),
                         .not_after = WallTime::from_seconds(now + paper.days_until * kDay)},
                        entropy);
    REQUIRE(certificate);
    REQUIRE(crypto::write_certificate_file(files.certificate_of(name), *certificate,
                                           crypto::IfExists::replace, entropy));
  }
  std::string key_of(const std::string& name) const {
    return identities.at(name).public_key().fingerprint();
  }
  ProgramOptions options(const std::string& name, Logger* logger = nullptr) const {
    return {.name = name, .key_folder = temp.path(), .logger = logger};
  }
};

using TextChannel = BlockingChannel<std::string, std::string>;

/// A program that listens, and serves kText.
struct Server {
  explicit Server(const ProgramOptions& options)
      : program(*BlockingProgram::start(options)),
        listener(*program->serve(kText)),
        name(options.name),
        at(program->listen("127.0.0.1:0")->text()) {}
  std::string peer() const { return name + "@" + at; }
  Result<> reload() {
    return program->run([](Program& p) { return p.reload(); });
  }

  std::unique_ptr<BlockingProgram> program;
  BlockingListener<std::string, std::string> listener;
  std::string name;
  std::string at;
};

/// Opens a channel from a new program, and returns how that went. Told by the listener, too: a
/// dialler is up before the listener has believed it.
Result<> visit(const ProgramOptions& options, Server& server) {
  auto client = BlockingProgram::start(options);
  if (!client) return client.error();
  auto opened = (*client)->open(kText, server.peer(), within(20s));
  if (!opened) return opened.error();
  (void)opened->send("hello");
  auto answered = opened->recv(within(20s));
  if (answered || answered.code() == Code::closed) return {};
  return answered.error();
}

/// Serves all that come with one word.
struct Greeter {
  explicit Greeter(Server& server)
      : thread([&server] {
          while (auto peer = server.listener.accept()) {
            (void)peer->send("welcome");
            peer->close();
          }
        }),
        server_(server) {}
  ~Greeter() {
    (void)server_.program->stop();
    thread.join();
  }
  std::thread thread;
  Server& server_;
};

TEST_CASE("a program says at once that its own certificate is good for nobody") {
  Scene scene;
  const auto told = [&](const std::string& words) {
    const auto made = Program::make(scene.options("alice"));
    REQUIRE(made.code() == Code::unauthenticated);
    CAPTURE(made.error().text());
    CHECK(made.error().detail().contains(words));
  };
  CHECK(Program::make(scene.options("alice")));
  scene.issue("alice", {.days_from = -2, .days_until = -1});
  told("expired");
  scene.issue("alice", {.days_from = 1});
  told("valid");
  scene.issue("alice", {});
  scene.revoke("key " + scene.key_of("alice") + "\n");
  told("revoked");
  scene.revoke("");
  scene.write("ca.pub", crypto::Authority::generate(scene.entropy).public_key().fingerprint());
  told("authority");
}

TEST_CASE("a program believes by the files of its key folder") {
  Scene scene;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  CHECK(visit(scene.options("bob"), alice));
  // Another authority is added, and the first one's clients go on.
  crypto::Authority second = crypto::Authority::generate(scene.entropy);
  scene.write("ca.pub", scene.read("ca.pub") + second.public_key().fingerprint() + "\n");
  CHECK(alice.reload());
  std::swap(scene.authority, second);
  scene.make_key("carol");
  CHECK(visit(scene.options("carol"), alice));
  CHECK(visit(scene.options("bob"), alice));
}

TEST_CASE("a reload ends the session of a peer that was revoked since") {
  Scene scene;
  HeardLog log;
  Server alice(scene.options("alice", &log));
  auto bob = BlockingProgram::start(scene.options("bob"));
  REQUIRE(bob);
  auto opened = (*bob)->open(kText, alice.peer(), within(20s));
  auto served = alice.listener.accept(within(20s));
  REQUIRE(opened);
  REQUIRE(served);
  CHECK(alice.reload());
  CHECK(served->send("still here"));
  CHECK(opened->recv(within(20s)));

  scene.revoke("key " + scene.key_of("bob") + " # lost\n");
  CHECK(alice.reload());
  CHECK(served->recv(within(20s)).code() == Code::lost);
  CHECK(opened->recv(within(20s)).code() == Code::lost);
  CHECK(log.hears("1 entries revoke, 1 sessions ended) and alice.cert (as before, until "));
  const auto again = (*bob)->open(kText, alice.peer());
  CHECK(again.error().status() == Code::unauthenticated);
}

TEST_CASE("a reload shows peers a certificate that lasts longer and no shorter one") {
  Scene scene;
  HeardLog log_of_alice;
  HeardLog log_of_bob;
  Server alice(scene.options("alice", &log_of_alice));
  auto bob = BlockingProgram::start(scene.options("bob", &log_of_bob));
  REQUIRE(bob);
  auto opened = (*bob)->open(kText, alice.peer(), within(20s));
  REQUIRE(opened);
  scene.issue("alice", {.roles = {"newer"}, .days_until = 60});
  CHECK(alice.reload());
  CHECK(log_of_bob.hears("the certificate of alice is renewed until"));
  scene.issue("alice", {.roles = {"shorter"}, .days_until = 10});
  CHECK(alice.reload());
  // Who comes now sees it; bob, who was shown none, has no complaint.
  auto carol = (scene.make_key("carol"), BlockingProgram::start(scene.options("carol")));
  REQUIRE(carol);
  auto met = (*carol)->open(kText, alice.peer(), within(20s));
  REQUIRE(met);
  CHECK(met->peer().roles == std::vector<std::string>{"shorter"});
  auto served = alice.listener.accept(within(20s));
  REQUIRE(served);
  CHECK(served->send("in order"));
  CHECK(opened->recv(within(20s)));
  (void)(*bob)->stop();
  CHECK(log_of_bob.warnings() == "");
}

TEST_CASE("a reload of bad files leaves what was in force and takes the good ones") {
  Scene scene;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  const auto refused = [&](const std::string& told) {
    const Result<> done = alice.reload();
    REQUIRE_FALSE(done);
    CAPTURE(done.error().text());
    CHECK(done.error().operation() == "reload"sv);
    CHECK(done.error().detail().contains(told));
  };
  scene.write("revoked", "key bob\n");
  refused("revoked");
  scene.write("alice.cert", "no certificate");
  refused("revoked");
  refused("alice.cert");
  std::filesystem::remove(scene.files.revoked());
  refused("alice.cert");
  scene.issue("alice", {.days_from = -3, .days_until = -2});
  refused("expired");
  scene.issue("alice", {}, "alison");
  refused("alison");
  CHECK(visit(scene.options("bob"), alice));  // Who was dialled is alice, as before.

  // A bad certificate keeps no revocation from counting.
  scene.revoke("key " + scene.key_of("bob") + "\n");
  refused("alison");
  std::filesystem::rename(scene.files.revoked(), scene.temp.file("elsewhere"));
  const Result<> revoked = visit(scene.options("bob"), alice);
  REQUIRE_FALSE(revoked);
  CHECK(revoked.error().status() == Code::unauthenticated);
}

TEST_CASE(
    "a reload takes what is revoked beside a bad file of authorities and names all that is bad") {
  Scene scene;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  REQUIRE(visit(scene.options("bob"), alice));
  const std::string authorities = scene.read("ca.pub");
  scene.write("ca.pub", "nobody\n");
  scene.revoke("key " + scene.key_of("bob") + "\n");
  const Result<> taken = alice.reload();
  REQUIRE(taken.code() == Code::invalid_argument);
  CHECK(taken.error().detail().contains("ca.pub: line 1"));
  CHECK_FALSE(taken.error().detail().contains("revoked"));
  scene.write("revoked", "");
  const Result<> bad = alice.reload();
  REQUIRE_FALSE(bad);
  CHECK(bad.error().detail().contains("ca.pub: line 1"));
  CHECK(bad.error().detail().contains("revoked: it does not end with a closing line"));
  // What was taken is in force: as bob sees alice, by good files, she believes him no more.
  scene.write("ca.pub", authorities);
  std::filesystem::remove(scene.files.revoked());
  const Result<> refused = visit(scene.options("bob"), alice);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status() == Code::unauthenticated);
}

TEST_CASE("a reload takes no certificate for another key") {
  Scene scene;
  Server alice(scene.options("alice"));
  scene.make_key("alice", {.days_until = 90});
  const Result<> done = alice.reload();
  REQUIRE_FALSE(done);
  CHECK(done.error().detail().contains("alice.cert is for the key " + scene.key_of("alice")));
}

TEST_CASE("a reload needs no passphrase") {
  Scene scene;
  std::filesystem::remove(scene.files.key_of("alice"));
  REQUIRE(crypto::write_key_file(scene.files.key_of("alice"), scene.identities.at("alice"),
                                 {.passphrase = "open sesame", .cost = crypto::kArgon2idCostMin},
                                 scene.entropy));
  ProgramOptions options = scene.options("alice");
  std::string passphrase = "open sesame";
  options.passphrase = passphrase;
  Server alice(options);
  passphrase.assign(passphrase.size(), '?');
  std::filesystem::remove(scene.files.key_of("alice"));
  scene.issue("alice", {.roles = {"newer"}, .days_until = 60});
  CHECK(alice.reload());
}

TEST_CASE("a program keeps whom it has learned while it runs") {
  Scene scene;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  scene.write("known_servers", "");
  ProgramOptions options = scene.options("bob");
  options.trust = crypto::Trust::Mode::tofu;
  std::filesystem::rename(scene.files.authorities(), scene.temp.file("ca.pub.elsewhere"));
  auto bob = Program::make(options);
  REQUIRE(bob);
  const std::string line = scene.key_of("alice") + " alice\n";
  Program& program = **bob;
  const Result<> ran = program.run(nursery(
      [&](Nursery&) -> Task<> {
        auto peer = co_await ok(open(program.node(), kText, PeerName{alice.peer()}));
        bool kept = false;
        while (!kept)
          kept = co_await ok(run_blocking([&] { return scene.read("known_servers") == line; }));
        co_return {};
      },
      within(20s)));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
}

TEST_CASE("a program says that it could not keep whom it has learned and tries again at its end") {
  Scene scene;
  HeardLog log;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  scene.write("known_servers", "");
  ProgramOptions options = scene.options("bob", &log);
  options.trust = crypto::Trust::Mode::tofu;
  auto bob = Program::make(options);
  REQUIRE(bob);
  set_mode(scene.files.known_servers(), 0644);
  const Result<> ran = (*bob)->run(nursery([&](Nursery&) -> Task<> {
    auto peer = co_await ok(open((*bob)->node(), kText, PeerName{alice.peer()}));
    const bool told = co_await ok(
        run_blocking([&] { return log.is_warned("whom we have learned was not kept"); }));
    CHECK(told);
    set_mode(scene.files.known_servers(), 0600);
    co_return {};
  }));
  CHECK(ran);
  CHECK(scene.read("known_servers") == scene.key_of("alice") + " alice\n");
}

TEST_CASE("a program with tofu believes nobody without a file and no stranger by a read-only one") {
  Scene scene;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  ProgramOptions options = scene.options("bob");
  options.trust = crypto::Trust::Mode::tofu;
  CHECK(visit(options, alice).error().status() == Code::unauthenticated);
  scene.write("known_servers", "");
  set_mode(scene.files.known_servers(), 0400);
  CHECK(visit(options, alice).error().status() == Code::unauthenticated);
  set_mode(scene.files.known_servers(), 0600);
  CHECK(visit(options, alice));
  set_mode(scene.files.known_servers(), 0400);
  CHECK(visit(options, alice));
  scene.make_key("alice");
  Server other(scene.options("alice"));
  CHECK(visit(options, other).error().detail().contains("has changed"));
}

TEST_CASE("a program believes its pins where it is told to") {
  Scene scene;
  Server alice(scene.options("alice"));
  const Greeter greeter(alice);
  ProgramOptions options = scene.options("bob");
  options.trust = crypto::Trust::Mode::pinned;
  CHECK(Program::make(options).error().detail().contains("pinned"));
  scene.write("pinned", scene.key_of("bob") + " bob both\n");
  CHECK(visit(options, alice).error().status() == Code::unauthenticated);
  scene.write("pinned", scene.key_of("alice") + " alice server\n");
  CHECK(visit(options, alice));
}

TEST_CASE("a program that hears signals is still found asleep") {
  const Scene scene;
  ProgramOptions options = scene.options("alice");
  options.owns_process = true;
  auto program = Program::make(options);
  REQUIRE(program);
  const Channel<int> never{0};
  const Result<> ran = (*program)->run(nursery([&](Nursery&) -> Task<> {
    (void)co_await never.recv();
    co_return {};
  }));
  REQUIRE(ran.code() == Code::failed_precondition);
  CHECK(ran.error().detail().starts_with("all tasks are asleep"));
}

}  // namespace
}  // namespace rpc
}  // namespace tubing
