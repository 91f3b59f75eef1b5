#include "tubing/rpc/program.h"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <vector>

#include "tubing/channel/stderr_logger.h"
#include "tubing/channel/stdio.h"
#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_set.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/crypto/trust_files.h"
#include "tubing/rpc/report.h"
#include "tubing/rpc/tcp_transport.h"

namespace tubing::rpc {
namespace {

/// How long a program that ends waits for its peers to hear goodbye.
constexpr Duration kGoodbyeTimeMax = std::chrono::seconds(2);

Prng::Seed draw_seed(crypto::Entropy& entropy) {
  Prng::Seed seed{};
  entropy.fill(std::as_writable_bytes(std::span(seed)));
  return seed;
}

/// The terminal of the process, by one of its standard descriptors; -1 where none is one.
int find_terminal() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::isatty(descriptor) == 1) return descriptor;
  return -1;
}

bool has_gone(int terminal) { return terminal >= 0 && ::isatty(terminal) == 0 && errno == EIO; }

/// What reload() reads: each of the files, or why not.
struct Papers {
  crypto::TrustFiles trust;
  Result<crypto::Certificate> certificate;
};

}  // namespace

struct Program::Parts {
  Parts(const ProgramOptions& options, crypto::KeyFolder folder, crypto::Identity own)
      : files(std::move(folder)),
        name(options.name),
        out(options.standard_error ? *options.standard_error : own_out),
        logger(choose_logger(options)),
        scheduler(reactor, Prng(draw_seed(entropy))),
        transport(reactor, logger),
        identity(std::move(own)),
        known(files),
        trust_options{.mode = options.trust,
                      .known = options.trust == crypto::Trust::Mode::tofu ? &known : nullptr} {}

  Logger* choose_logger(const ProgramOptions& options);
  Result<> begin(const ProgramOptions& options, const crypto::Certificate& certificate);
  Result<> watch_signals();
  Task<> attend(Task<> main_task);
  Task<> reload(bool by_signal);
  Task<> reload_by_signal();
  Task<> save_known();
  Papers read_papers() const;
  /// Both put into words what was read.
  Result<> take_trust(const crypto::TrustFiles& fresh, std::string& news);
  Result<> take_certificate(const Result<crypto::Certificate>& fresh, std::string& news);
  void tell_reloaded(std::string_view news, bool by_signal);
  void on_hangup();
  void on_news();
  std::string report() const { return report_text(scheduler.dump(), node->stats()); }

  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> text, Args&&... args) const {
    if (logger && level >= logger->lowest("rpc"))
      logger->log(level, "rpc", fmt::format(text, std::forward<Args>(args)...));
  }

  const crypto::KeyFolder files;
  const std::string name;
  crypto::SystemEntropy entropy;
  channel::UvReactor reactor;
  StderrWriter own_out;
  StderrWriter& out;
  std::optional<StderrLogger> own_logger;
  Logger* const logger;
  Scheduler scheduler;
  TcpTransport transport;
  const crypto::Identity identity;
  crypto::KnownPeers known;  ///< Read with tofu alone.
  const crypto::TrustOptions trust_options;
  std::optional<crypto::Credentials> credentials;
  std::optional<crypto::Trust> trust;
  std::optional<Node> node;
  Semaphore reloading{1};
  Nursery* background = nullptr;  ///< While the main task runs.
  bool saving = false;            ///< A task does it.
  bool hangup_waits = false;      ///< A reload has not begun yet, and will see what is there.
  int terminal = -1;
  std::vector<std::unique_ptr<channel::Reactor::Subscription>> watches;
};

Logger* Program::Parts::choose_logger(const ProgramOptions& options) {
  if (options.logger || !options.owns_process) return options.logger;
  return &own_logger.emplace(
      LogLevels::from_environment(), [this] { return reactor.wall_now(); }, out);
}

Result<> Program::Parts::begin(const ProgramOptions& options,
                               const crypto::Certificate& certificate) {
  Result<crypto::Trust> read = crypto::read_trust(files, trust_options);
  if (!read) return std::move(read).error();
  trust = *std::move(read);
  Result<> believable =
      crypto::check_own_certificate(certificate, identity.public_key(), *trust, reactor.wall_now());
  if (!believable) return believable;
  Result<crypto::Credentials> made =
      crypto::Credentials::make(identity, certificate, crypto::X25519KeyPair::generate(entropy),
                                certificate.claims.not_after);
  if (!made) return std::move(made).error();
  credentials = *std::move(made);
  node.emplace(NodeParts{scheduler, transport, entropy, *credentials, *trust, logger,
                         options.suites, options.psk},
               options.limits);
  if (trust_options.known) known.on_news([this] { on_news(); });
  return options.owns_process ? watch_signals() : Result<>();
}

Result<> Program::Parts::watch_signals() {
  terminal = find_terminal();
  const auto watch = [this](int number, std::function<void(int)> on_signal) -> Result<> {
    auto watched = reactor.watch_signal(number, std::move(on_signal));
    if (!watched) return std::move(watched).error();
    (*watched)->unref();
    watches.push_back(*std::move(watched));
    return {};
  };
  if (Result<> watched = watch(SIGHUP, [this](int) { on_hangup(); }); !watched) return watched;
  return watch(SIGQUIT, [this](int) { out.print(report()); });
}

/// Runs the main task, and beside it what comes up meanwhile.
Task<> Program::Parts::attend(Task<> main_task) {
  Result<> ended;
  (void)co_await nursery([&](Nursery& n) -> Task<> {
    background = &n;
    ended = co_await std::move(main_task);
    background = nullptr;
    n.cancel();
    co_return {};
  });
  co_return ended;
}

Papers Program::Parts::read_papers() const {
  return {.trust = crypto::read_trust_files(files, trust_options),
          .certificate = crypto::read_certificate_file(files.certificate_of(name))};
}

Task<> Program::Parts::reload(bool by_signal) {
  const Permit alone = co_await ok(reloading.acquire());
  hangup_waits = false;
  const Papers papers = co_await ok(run_blocking([this] { return read_papers(); }));
  std::string news;
  const Result<> believed = take_trust(papers.trust, news);
  const Result<> done = both_ok(believed, take_certificate(papers.certificate, news));
  if (!news.empty()) tell_reloaded(news, by_signal);
  if (!done) co_return done.error().met_by("reload");
  co_return {};
}

Result<> Program::Parts::take_trust(const crypto::TrustFiles& fresh, std::string& news) {
  if (!fresh.believed && !fresh.revoked) return fresh.trouble();
  *trust = fresh.over(*trust);
  const std::size_t ended = node->recheck();
  news = fmt::format("read again: the trust files of {} ({} entries revoke, {} sessions ended)",
                     files.path(), trust->revoked().size(), ended);
  return fresh.trouble();
}

/// A certificate that does not last longer is for new sessions alone: a peer would not take it for
/// a renewal.
Result<> Program::Parts::take_certificate(const Result<crypto::Certificate>& fresh,
                                          std::string& news) {
  if (!fresh) return fresh.error();
  const crypto::Certificate before = credentials->certificate();
  const crypto::Claims& claims = fresh->claims;
  const auto tell = [&](std::string_view what) {
    news += fmt::format("{}{}.cert ({} until {})", news.empty() ? "read again: " : " and ", name,
                        what, crypto::date_text(claims.not_after));
  };
  if (*fresh == before) return tell("as before,"), Result<>();
  Result<> believable =
      crypto::check_own_certificate(*fresh, identity.public_key(), *trust, reactor.wall_now());
  if (!believable) return believable;
  if (claims.name != before.claims.name)
    return Error(Code::failed_precondition, "reload",
                 fmt::format("{} is for the name {}, and this program runs as {}; start it again "
                             "to change its name",
                             files.certificate_of(name), claims.name, before.claims.name));
  Result<> renewed = credentials->renew(identity, *fresh, claims.not_after);
  if (!renewed) return renewed;
  tell("new,");
  if (claims.not_after <= before.claims.not_after) return {};
  return node->renew(identity, *fresh);
}

/// Whoever sent a signal has asked: where warnings are wanted it is answered, too.
void Program::Parts::tell_reloaded(std::string_view news, bool by_signal) {
  if (!by_signal || logger->lowest("rpc") != LogLevel::warning)
    return log(LogLevel::info, "{}", news);
  out.print(StderrLogger::text(reactor.wall_now(), LogLevel::info, "rpc", news) + "\n");
}

Task<> Program::Parts::reload_by_signal() {
  const Result<> done = co_await reload(true);
  if (!done && done.code() != Code::cancelled)
    log(LogLevel::error, "{}; what was in force before stays so", done.error().text());
  co_return {};
}

void Program::Parts::on_hangup() {
  if (has_gone(terminal)) {
    ::signal(SIGHUP, SIG_DFL);
    ::raise(SIGHUP);
  }
  if (!background || hangup_waits) return;
  hangup_waits = true;
  background->spawn("reload", reload_by_signal());
}

void Program::Parts::on_news() {
  if (!background || std::exchange(saving, true)) return;
  background->spawn("save known peers", save_known());
}

Task<> Program::Parts::save_known() {
  Result<> saved;
  while (saved && known.has_news())
    saved = co_await run_blocking([this] { return known.save(entropy); });
  saving = false;
  if (!saved && saved.code() != Code::cancelled)
    log(LogLevel::warning, "whom we have learned was not kept: {}", saved.error().text());
  co_return {};
}

Program::Program(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Program::~Program() = default;

Result<std::unique_ptr<Program>> Program::make(const ProgramOptions& options) {
  reserve_standard_descriptors();
  Result<crypto::KeySet> keys =
      crypto::read_key_set(options.key_folder, options.name, options.passphrase, options.trust);
  if (!keys) return std::move(keys).error();
  crypto::KeyFolder files(options.key_folder.empty() ? crypto::default_key_folder()
                                                     : options.key_folder);
  auto parts = std::make_unique<Parts>(options, std::move(files), std::move(keys->identity));
  Result<> begun = parts->begin(options, keys->certificate);
  if (!begun) return std::move(begun).error();
  return std::unique_ptr<Program>(new Program(std::move(parts)));
}

Node& Program::node() { return *parts_->node; }
Scheduler& Program::scheduler() { return parts_->scheduler; }
channel::UvReactor& Program::reactor() { return parts_->reactor; }
Task<> Program::reload() { return parts_->reload(false); }
std::string Program::report() const { return parts_->report(); }

Result<> Program::run(Task<> main_task) {
  Scheduler& scheduler = parts_->scheduler;
  Result<> result = scheduler.run(parts_->attend(std::move(main_task)));
  // A peer that does not answer goodbye does not change how the task ended.
  (void)scheduler.run(node().close(within(kGoodbyeTimeMax)));
  if (parts_->known.has_news()) (void)scheduler.run(parts_->save_known());
  return result;
}

int run_program(const ProgramOptions& options, const std::function<Task<>(Program&)>& main_task) {
  ProgramOptions own = options;
  own.owns_process = true;
  Result<std::unique_ptr<Program>> program = Program::make(own);
  if (!program) return exit_status(std::move(program).error());
  const Result<> done = (*program)->run(main_task(**program));
  program->reset();  // What it has logged comes before its error.
  return exit_status(done);
}

}  // namespace tubing::rpc
