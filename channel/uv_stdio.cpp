#include "tubing/channel/uv_stdio.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::channel {
namespace {

// Closes a descriptor of the process; of a standard one it leaves /dev/null in the place.
void give_up(int descriptor) {
  if (descriptor > STDERR_FILENO) {
    close(descriptor);
    return;
  }
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  dup2(null, descriptor);
  close(null);
}

// The far side of a pseudo-terminal. Opening it anew would make another terminal.
bool is_terminal_master(int descriptor) {
  unsigned number = 0;
  return ioctl(descriptor, TIOCGPTN, &number) == 0;
}

// A description of our own of the same terminal or pipe, or -1 where the system refuses it.
int open_anew(int descriptor, int access) {
  if (is_terminal_master(descriptor)) return -1;
  return open(fmt::format("/proc/self/fd/{}", descriptor).c_str(),
              access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

bool is_open_for(int descriptor, int access) {
  const int flags = fcntl(descriptor, F_GETFL);
  return flags >= 0 && ((flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == access);
}

uv_buf_t as_buffer(ByteView bytes) {
  uv_buf_t buffer;
  // For writing libuv only reads from it.
  buffer.base = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
  buffer.len = bytes.size();
  return buffer;
}

Error stdio_error(const char* operation, int status) {
  if (status == UV_EPIPE)
    return Error(Code::stopped, operation, "the program that reads this output has gone");
  if (status == UV_ENOSPC || status == -EDQUOT)
    return Error(Code::resource_exhausted, operation, "the disk is full; make room and try again");
  return Error(Code::unavailable, operation, uv_strerror(status));
}

// A descriptor with what libuv keeps of it. It is freed once its owner dropped it and libuv has let
// go of it. `polled`: the system tells when it is ready; otherwise each operation runs on the pool,
// and `busy` says that one does, or its callback.
struct Device {
  uv_poll_t poll;
  uv_fs_t request;
  UvReactor& reactor;
  int given = -1;           // The caller's descriptor.
  int io = -1;              // The one that is used; the same, or opened anew.
  int restored_flags = -1;  // What `given` gets back at the end, or -1.
  bool is_socket = false;
  bool polled = false;
  bool busy = false;
  bool released = false;
  bool dropped = false;
  bool let_go = false;

  explicit Device(UvReactor& on) : reactor(on) {}
  virtual ~Device() = default;

  // Returns a libuv error, or 0; on an error nothing was changed. `access` is O_RDONLY or O_WRONLY.
  int open_from(int descriptor, int access) {
    struct stat status = {};
    const int flags = fcntl(descriptor, F_GETFL);
    if (!is_open_for(descriptor, access) || fstat(descriptor, &status) != 0) return UV_EBADF;
    is_socket = S_ISSOCK(status.st_mode);
    io = S_ISFIFO(status.st_mode) || isatty(descriptor) ? open_anew(descriptor, access) : -1;
    const bool anew = io >= 0;
    if (!anew) io = descriptor;
    const int outcome = uv_poll_init(&reactor.loop(), &poll, io);
    polled = outcome == 0;
    if (!polled && outcome != UV_EPERM) {  // EPERM: a file, which is always ready.
      if (anew) ::close(io);
      return outcome;
    }
    given = descriptor;
    poll.data = request.data = this;
    if (polled && is_socket)
      fcntl(given, F_SETFL, flags);  // Each call on a socket says itself that it must not wait.
    else if (polled && !anew)
      restored_flags = flags;
    return 0;
  }

  ssize_t read(MutableBytes into) {
    const ssize_t n = is_socket ? recv(io, into.data(), into.size(), MSG_DONTWAIT)
                                : ::read(io, into.data(), into.size());
    return n < 0 ? -errno : n;
  }
  ssize_t write(ByteView from) {
    const ssize_t n = is_socket ? send(io, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                : ::write(io, from.data(), from.size());
    return n < 0 ? -errno : n;
  }

  // Ends the use of the descriptor; idempotent.
  void release() {
    if (std::exchange(released, true)) return;
    if (polled) {
      uv_close(reinterpret_cast<uv_handle_t*>(&poll),
               [](uv_handle_t* handle) { static_cast<Device*>(handle->data)->forget(); });
      close_descriptors();
    } else if (!busy) {
      close_descriptors();
      let_go = true;
    }
  }
  void drop() {
    dropped = true;
    release();
    if (let_go) delete this;
  }
  // The last statement of an operation's callback.
  void leave_pool() {
    busy = false;
    if (!released) return;
    close_descriptors();
    forget();
  }

 private:
  void forget() {
    let_go = true;
    if (dropped) delete this;
  }
  void close_descriptors() {
    if (restored_flags >= 0) fcntl(given, F_SETFL, restored_flags);
    if (io != given) ::close(io);
    give_up(given);
  }
};

bool is_try_again(ssize_t n) { return n == -EAGAIN || n == -EINTR; }

Error not_open(int descriptor, int status, const char* purpose) {
  return Error(Code::invalid_argument, "stdio",
               fmt::format("descriptor {} cannot be used for {}: {}; give one that is open for it",
                           descriptor, purpose, uv_strerror(status)));
}

}  // namespace

struct StdioReader::State : Device {
  using Device::Device;

  OnChunk on_chunk;
  OnEnd on_end;
  std::unique_ptr<std::byte[]> buffer;  // Where the pool reads to.
  bool reading = false;

  void resume() {
    reading = true;
    if (released) return;
    if (polled)
      uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* handle, int status, int) {
        static_cast<State*>(handle->data)->on_ready(status);
      });
    else if (!busy)
      submit();
  }

  void pause() {
    reading = false;
    if (polled && !released) uv_poll_stop(&poll);
  }

  void on_ready(int status) {
    const MutableBytes lent = reactor.lend_buffer().first(kChunkBytesMax);
    const ssize_t n = read(lent);
    if (n > 0) on_chunk(lent.first(static_cast<std::size_t>(n)));
    reactor.return_buffer();
    if (n <= 0 && !is_try_again(n)) return end(static_cast<int>(n));
    if (status != 0 && reading) resume();  // libuv has stopped watching.
  }

  void submit() {
    if (!buffer) buffer = std::make_unique_for_overwrite<std::byte[]>(kChunkBytesMax);
    const uv_buf_t into = as_buffer({buffer.get(), kChunkBytesMax});
    busy = true;
    uv_fs_read(&reactor.loop(), &request, io, &into, 1, -1, [](uv_fs_t* done) {
      const ssize_t n = done->result;
      uv_fs_req_cleanup(done);
      static_cast<State*>(done->data)->on_read(n);
    });
  }

  void on_read(ssize_t n) {
    if (!released && n > 0) on_chunk({buffer.get(), static_cast<std::size_t>(n)});
    if (!released && n <= 0) end(static_cast<int>(n));
    if (!released && reading) return submit();
    leave_pool();
  }

  void end(int status) {
    if (released) return;
    release();
    on_end(status == 0 ? Result<>() : stdio_error("read", status));
  }
};

Result<> StdioReader::check(int descriptor) {
  return is_open_for(descriptor, O_RDONLY) ? Result<>() : not_open(descriptor, UV_EBADF, "reading");
}

Result<std::unique_ptr<StdioReader>> StdioReader::make(UvReactor& reactor, int descriptor) {
  auto state = std::make_unique<State>(reactor);
  if (const int status = state->open_from(descriptor, O_RDONLY); status != 0)
    return not_open(descriptor, status, "reading");
  return std::unique_ptr<StdioReader>(new StdioReader(state.release()));
}

StdioReader::~StdioReader() { state_->drop(); }

void StdioReader::start(OnChunk on_chunk, OnEnd on_end) {
  TUBING_ASSERT(!state_->on_chunk);
  state_->on_chunk = std::move(on_chunk);
  state_->on_end = std::move(on_end);
  state_->resume();
}

void StdioReader::pause() { state_->pause(); }

void StdioReader::resume() {
  TUBING_ASSERT(state_->on_chunk);
  state_->resume();
}

struct StdioWriter::State : Device {
  using Device::Device;

  OnWritable on_writable;
  OnError on_error;
  ByteView rest;    // What the unfinished write has left to do.
  int failure = 0;  // The libuv error that the loop will tell, or 0.
  bool writing = false;
  bool closing = false;

  bool write_all(ByteView bytes) {
    TUBING_ASSERT(!writing && !closing);
    if (released || bytes.empty()) return true;
    rest = bytes;
    if (polled && advance()) return true;
    writing = true;
    polled ? watch() : submit();
    return false;
  }

  // Writes what the system takes. Returns whether that was all.
  bool advance() {
    while (!rest.empty()) {
      const ssize_t n = write(rest);
      if (n == -EINTR) continue;
      if (n < 0 && n != -EAGAIN) failure = static_cast<int>(n);
      if (n < 0) return false;
      rest = rest.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }

  void watch() {
    uv_poll_start(&poll, UV_WRITABLE, [](uv_poll_t* handle, int status, int) {
      static_cast<State*>(handle->data)->on_ready(status);
    });
  }

  void on_ready(int status) {
    const bool done = failure == 0 && advance();
    if (failure != 0) return fail();
    if (done) {
      uv_poll_stop(&poll);
      return finish();
    }
    if (status != 0) watch();  // libuv has stopped watching.
  }

  void submit() {
    const uv_buf_t from = as_buffer(rest);
    busy = true;
    uv_fs_write(&reactor.loop(), &request, io, &from, 1, -1, [](uv_fs_t* done) {
      const ssize_t n = done->result;
      uv_fs_req_cleanup(done);
      static_cast<State*>(done->data)->on_written(n);
    });
  }

  void on_written(ssize_t n) {
    if (released) return leave_pool();
    if (n >= 0) rest = rest.subspan(static_cast<std::size_t>(n));
    if (n >= 0 && !rest.empty()) return submit();
    if (n < 0) failure = static_cast<int>(n);
    failure != 0 ? fail() : finish();
    if (!writing) leave_pool();  // Otherwise the callback began the next write.
  }

  void finish() {
    writing = false;
    if (closing) release();
    on_writable();
  }

  void fail() {
    writing = false;
    release();
    on_error(stdio_error("write", failure));
  }

  void close() {
    closing = true;
    if (!writing) release();
  }
};

Result<> StdioWriter::check(int descriptor) {
  return is_open_for(descriptor, O_WRONLY) ? Result<>() : not_open(descriptor, UV_EBADF, "writing");
}

Result<std::unique_ptr<StdioWriter>> StdioWriter::make(UvReactor& reactor, int descriptor,
                                                       OnWritable on_writable, OnError on_error) {
  auto state = std::make_unique<State>(reactor);
  if (const int status = state->open_from(descriptor, O_WRONLY); status != 0)
    return not_open(descriptor, status, "writing");
  state->on_writable = std::move(on_writable);
  state->on_error = std::move(on_error);
  return std::unique_ptr<StdioWriter>(new StdioWriter(state.release()));
}

StdioWriter::~StdioWriter() { state_->drop(); }

bool StdioWriter::write(ByteView bytes) { return state_->write_all(bytes); }

void StdioWriter::close() { state_->close(); }

}  // namespace tubing::channel
