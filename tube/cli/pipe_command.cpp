#include "tubing/tube/cli/pipe_command.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tubing/channel/stderr_logger.h"
#include "tubing/channel/stdio.h"
#include "tubing/crypto/cipher.h"
#include "tubing/crypto/key_folder.h"
#include "tubing/crypto/psk_file.h"
#include "tubing/tube/cli/key_command.h"

namespace tubing::cli {
namespace {

/// The one key of the folder, where there is one.
Result<std::string> only_name(const std::string& folder) {
  std::string found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".key" || path.stem() == crypto::kAuthorityName) continue;
    if (!found.empty())
      return Error(
          Code::invalid_argument, "pipe",
          fmt::format("{} holds several keys; say which one is yours with --as NAME", folder));
    found = path.stem();
  }
  if (found.empty())
    return Error(Code::not_found, "pipe",
                 fmt::format("there is no key in {}; make one with: tube key new NAME", folder));
  return found;
}

/// How many bytes a regular file on standard input will give; 0 for anything else.
std::uint64_t input_size() {
  struct stat status{};
  if (::fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  const off_t at = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
  return status.st_size > at && at >= 0 ? static_cast<std::uint64_t>(status.st_size - at) : 0;
}

/// One direction has ended in order. Closing tells the peer that both have.
void end_direction(const Sender<Bytes>& tx, Passed& passed) {
  if (++passed.directions_ended == 2) tx.close();
}

Task<> send_input(Receiver<Bytes> input, Sender<Bytes> tx, Passed& passed) {
  while (auto chunk = co_await input.recv()) {
    const std::size_t size = chunk->size();
    co_await ok(tx.send(*std::move(chunk)));
    passed.sent += size;
  }
  co_await ok(input.end());
  co_await ok(tx.send(Bytes{}));
  end_direction(tx, passed);
  co_return {};
}

Task<> write_output(Receiver<Bytes> rx, Sender<Bytes> output, Passed& passed) {
  for (;;) {
    Bytes chunk = co_await ok(rx.recv());
    if (chunk.empty()) co_return {};
    const std::size_t size = chunk.size();
    co_await ok(output.send(std::move(chunk)));
    co_await ok(output.send(Bytes{}));  // the chunk has left, or this says why it could not
    passed.received += size;
  }
}

/// Waits, while our own input goes on, until the peer says that it has written all of it.
Task<> await_end(Receiver<Bytes> rx, const Passed& passed) {
  if (co_await rx.recv())
    co_return Error(Code::data_loss, "pipe",
                    "the peer sent more behind the end of its input; it speaks another pipe");
  co_await ok(rx.end());
  if (passed.directions_ended == 2) co_return {};
  co_return Error(Code::data_loss, "pipe", "the peer left before it had all of our input");
}

/// Tells whoever else dials, at once, that the pipe has its peer.
Task<> refuse_others(Receiver<IncomingPort> incoming, std::string name) {
  while (auto opened = co_await incoming.recv())
    opened->port->reset(
        Code::unavailable,
        fmt::format("{} is busy: its pipe serves another peer, and ends with it", name));
  co_return incoming.end();
}

}  // namespace

void PipeCommand::say(std::string_view line, bool over_progress) {
  out_.print(fmt::format("{}tube: {}\n", over_progress ? kClearLine : "", line));
}

int PipeCommand::refuse(const Error& error) {
  say(error.text());
  return kExitRefused;
}

PipeCommand::PipeCommand(CLI::App& app, std::function<WallTime()> wall_now)
    : wall_now_(std::move(wall_now)),
      pipe_(app.add_subcommand(
          "pipe", "Standard input and output through an encrypted channel, in both directions")) {
  pipe_->footer(
      "One side listens, the other dials:\n  tube pipe --listen 0.0.0.0:7000\n"
      "  tube pipe NAME@HOST:7000 < file\n"
      "Each sends until its standard input ends; one that has nothing to send gets < /dev/null.\n"
      "SIGHUP has it read NAME.cert and whom to believe again; SIGQUIT (Ctrl-\\) prints what it\n"
      "does. TUBING_LOG=rpc=debug tells more of its peers, on standard error.");
  add_options();
}

void PipeCommand::add_options() {
  CLI::Option* peer = pipe_->add_option("PEER", peer_, "Whom to dial: NAME@HOST:PORT");
  CLI::Option* listen =
      pipe_->add_option("--listen", listen_, "Listen at HOST:PORT and serve one peer; port 0: any");
  listen->excludes(peer);
  pipe_->add_option("--as", name_, "Whose key to use; not needed where the folder has but one");
  pipe_->add_option("--dir", folder_, "The folder of the keys")
      ->default_str(crypto::default_key_folder());
  pipe_->add_option("--passphrase-file", passphrase_file_, "A file with the key's passphrase");
  pipe_->add_option("--psk", psk_file_,
                    "A file with a pre-shared key, which both sides need then (tube key psk)");
  pipe_->add_option("--suite", suite_, "The cipher that both sides speak: chacha or aes (AES-GCM)")
      ->check(CLI::IsMember({"chacha", "aes"}))
      ->capture_default_str();
  pipe_->add_flag("--progress,!--no-progress", progress_,
                  "Show progress on standard error; the default where that is a terminal");
  pipe_->add_flag("--quiet", quiet_, "Print nothing but errors");
  progress_ = ::isatty(STDERR_FILENO) == 1;
}

int PipeCommand::run() {
  if (peer_.empty() && listen_.empty()) {
    say("pipe: name whom to dial (NAME@HOST:PORT), or --listen HOST:PORT");
    return kExitUsage;
  }
  // Before a file is opened, which would take the place of a closed one.
  for (const Result<>& usable : {check_readable(STDIN_FILENO), check_writable(STDOUT_FILENO)})
    if (!usable) return refuse(usable.error());
  if (folder_.empty()) folder_ = crypto::default_key_folder();
  if (Result<> named = crypto::KeyFolder(folder_).check_usable(); !named)
    return refuse(named.error().met_by("pipe"));
  if (name_.empty()) {
    Result<std::string> name = only_name(folder_);
    if (!name) return refuse(name.error());
    name_ = *std::move(name);
  }
  return run_named();
}

int PipeCommand::run_named() {
  const Result<crypto::Suite> suite = chosen_suite();
  if (!suite) return refuse(suite.error());
  const auto psk = read_psk();
  if (!psk) return refuse(psk.error());
  const Result<Passphrase> passphrase = read_passphrase();
  if (!passphrase) return refuse(passphrase.error());
  StderrLogger logger(quiet_ ? LogLevels(LogLevel::error) : LogLevels::from_environment(),
                      wall_now_, out_, progress_ ? kClearLine : "");
  auto program = rpc::Program::make({.name = name_,
                                     .key_folder = folder_,
                                     .passphrase = passphrase->view(),
                                     .logger = &logger,
                                     .standard_error = &out_,
                                     .suites = {&*suite, 1},
                                     .psk = psk->has_value() ? &**psk : nullptr,
                                     .owns_process = true});
  if (!program) return refuse(program.error());
  const Result<> done = (*program)->run(main(**program));
  return done ? kExitOk : refuse(done.error());
}

Result<crypto::Suite> PipeCommand::chosen_suite() const {
  if (suite_ == "chacha") return crypto::Suite::chacha_poly;
  if (crypto::cipher_available(crypto::Cipher::aes_gcm)) return crypto::Suite::aes_gcm;
  return Error(Code::failed_precondition, "pipe",
               "this processor has no instructions for AES-GCM; use --suite chacha on both sides");
}

Result<std::optional<crypto::Secret<crypto::kPskBytes>>> PipeCommand::read_psk() const {
  std::optional<crypto::Secret<crypto::kPskBytes>> psk;
  if (psk_file_.empty()) return psk;
  auto read = crypto::read_psk_file(psk_file_);
  if (!read) return std::move(read).error();
  psk = *std::move(read);
  return psk;
}

Result<Passphrase> PipeCommand::read_passphrase() const {
  if (!passphrase_file_.empty()) return Passphrase::from_file(passphrase_file_);
  const std::string path = crypto::KeyFolder(folder_).key_of(name_);
  const auto info = crypto::inspect_key_file(path);
  // What is wrong with the file itself shows when it is read.
  if (!info || !info->needs_passphrase) return Passphrase();
  return Passphrase::from_terminal(fmt::format("Passphrase of {}", path));
}

Task<> PipeCommand::main(rpc::Program& program) {
  return listen_.empty() ? dial(program) : listen(program);
}

Task<> PipeCommand::listen(rpc::Program& program) {
  const rpc::Address wanted = co_await ok(rpc::Address::parse(listen_));
  auto incoming = co_await ok(accept(program.node(), kPipe));
  const rpc::Address address = co_await ok(program.node().listen(wanted));
  if (!quiet_) say(fmt::format("{} listens at {}", name_, address.text()));
  auto opened = co_await ok(incoming.recv());
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    auto peer = co_await ok(serve_end(kPipe, std::move(opened)));
    n.spawn("refuse others", refuse_others(std::move(incoming), name_));
    co_await ok(carry(program, std::move(peer)));
    n.cancel();
    co_return {};
  });
}

Task<> PipeCommand::dial(rpc::Program& program) {
  co_return co_await carry(program,
                           co_await ok(open(program.node(), kPipe, PeerName{std::move(peer_)})));
}

Task<> PipeCommand::carry(rpc::Program& program, Duplex<Bytes, Bytes> peer) {
  const std::uint64_t total = input_size();
  const auto input = co_await ok(read_chunks(program.reactor(), STDIN_FILENO));
  const auto output = co_await ok(write_chunks(program.reactor(), STDOUT_FILENO));
  if (!quiet_)
    say(fmt::format(
        "connected to {}{}", peer.peer().name,
        peer.peer().name == name_ ? ", who has our own name; --as NAME chooses another key" : ""));
  const Time begin = program.scheduler().now();
  Passed passed;
  Result<> carried = co_await nursery([&](Nursery& n) -> Task<> {
    if (progress_) n.spawn("progress", show_progress(out_, passed, total));
    n.spawn("input", send_input(input, peer.tx, passed));
    co_await ok(write_output(peer.rx, output, passed));
    end_direction(peer.tx, passed);
    co_await ok(await_end(peer.rx, passed));
    n.cancel();
    co_return {};
  });
  if (!carried) peer.tx.close(carried.error());  // so that the peer knows why
  if (!quiet_) say(summary(passed, program.scheduler().now() - begin), progress_);
  co_return carried;
}

}  // namespace tubing::cli
