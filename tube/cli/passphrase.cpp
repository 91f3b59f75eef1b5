#include "tubing/tube/cli/passphrase.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tubing::cli {
namespace {

// Room for the longest passphrase, its line feed, and one byte that shows that it is too long.
using Line = crypto::Scratch<crypto::kPassphraseBytesMax + 2>;

Error refused(Code code, std::string_view what) { return Error(code, "passphrase", what); }

/// An open file or terminal.
class Input {
 public:
  Input(const char* path, int flags) : fd_(::open(path, flags | O_CLOEXEC)) {}
  ~Input() {
    if (fd_ >= 0) ::close(fd_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

  /// Reads up to a line feed, the end, or the end of `line`.
  /// Returns: the bytes before the line feed.
  Result<std::string_view> read_line(Line& line, const std::string& name) const {
    std::size_t size = 0;
    while (size < line.bytes().size()) {
      const ssize_t got = ::read(fd_, line.bytes().data() + size, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0)
        return refused(Code::unavailable,
                       fmt::format("{}: {}", name, std::generic_category().message(errno)));
      if (got == 0 || line.bytes()[size] == std::byte{'\n'}) break;
      ++size;
    }
    return as_text(line.view().first(size));
  }

 private:
  int fd_;
};

/// A terminal that shows nothing of what is typed. Interrupts wait, so that it is never left so.
class Hidden {
 public:
  explicit Hidden(int terminal) : terminal_(terminal) {
    ::sigset_t interrupts;
    sigemptyset(&interrupts);
    for (const int signal : {SIGINT, SIGTERM, SIGTSTP, SIGHUP, SIGQUIT})
      sigaddset(&interrupts, signal);
    ::sigprocmask(SIG_BLOCK, &interrupts, &signals_before_);
    ::tcgetattr(terminal_, &shown_);
    ::termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    hidden.c_lflag |= ECHONL;
    ::tcsetattr(terminal_, TCSAFLUSH, &hidden);
  }
  ~Hidden() {
    ::tcsetattr(terminal_, TCSAFLUSH, &shown_);
    ::sigprocmask(SIG_SETMASK, &signals_before_, nullptr);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  int terminal_;
  ::termios shown_{};
  ::sigset_t signals_before_{};
};

}  // namespace

Result<Passphrase> Passphrase::of(std::string_view text) {
  if (text.empty()) return refused(Code::invalid_argument, "the passphrase is empty");
  if (text.size() > crypto::kPassphraseBytesMax)
    return refused(Code::invalid_argument, fmt::format("the passphrase has more than {} bytes",
                                                       crypto::kPassphraseBytesMax));
  Passphrase passphrase;
  std::memcpy(passphrase.bytes_.bytes().data(), text.data(), text.size());
  passphrase.size_ = text.size();
  return passphrase;
}

Result<Passphrase> Passphrase::from_file(const std::string& path) {
  const Input file(path.c_str(), O_RDONLY);
  if (!file.is_open())
    return refused(errno == ENOENT ? Code::not_found : Code::permission_denied,
                   fmt::format("{}: {}", path, std::generic_category().message(errno)));
  Line line;
  const auto text = file.read_line(line, path);
  if (!text) return text.error();
  auto passphrase = of(*text);
  if (!passphrase)
    return refused(Code::invalid_argument, fmt::format("{}: {}; its first line is taken", path,
                                                       passphrase.error().detail()));
  return passphrase;
}

Result<Passphrase> Passphrase::from_terminal(std::string_view prompt) {
  const Input terminal("/dev/tty", O_RDWR);
  if (!terminal.is_open())
    return refused(Code::failed_precondition,
                   fmt::format("{}: there is no terminal to ask on; name a file with "
                               "--passphrase-file or --ca-passphrase-file",
                               prompt));
  // Hidden first: what is typed once the question is there is neither shown nor lost.
  const Hidden hidden(terminal.fd());
  const std::string question = fmt::format("{}: ", prompt);
  if (::write(terminal.fd(), question.data(), question.size()) < 0)
    return refused(Code::unavailable, "the terminal takes no text");
  Line line;
  const auto text = terminal.read_line(line, "/dev/tty");
  if (!text) return text.error();
  return of(*text);
}

Result<Passphrase> Passphrase::new_from_terminal(std::string_view what_for) {
  auto first = from_terminal(fmt::format("New passphrase for {}", what_for));
  if (!first) return first;
  const auto second = from_terminal("The same passphrase again");
  if (!second) return second.error();
  if (first->view() != second->view())
    return refused(Code::invalid_argument, "the two passphrases differ; nothing was made");
  return first;
}

}  // namespace tubing::cli
