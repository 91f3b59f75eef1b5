#include "tubing/channel/stdio.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/channel/uv_stdio.h"

namespace tubing {
namespace {

using channel::StdioReader;
using channel::StdioWriter;
using channel::UvReactor;
using detail::ChannelCore;

constexpr std::size_t kItems = 4;

/// Feeds a channel from a reader. Invariant: the reader is paused while the channel is full, and
/// only then; so at most one chunk more than the channel's values waits here.
template <class T>
class Feed : public detail::Source {
 public:
  Feed(ChannelCore<T>& core, std::unique_ptr<StdioReader> reader)
      : core_(core), reader_(std::move(reader)) {}
  void start() {
    reader_->start([this](ByteView chunk) { on_chunk(chunk); },
                   [this](Result<> how) { on_end(std::move(how)); });
  }
  void on_taken() override {
    if (delivering_) return;
    deliver_more();
    pace();
  }

 protected:
  /// Takes the next value out of `pending_`; `all` when nothing follows.
  virtual std::optional<T> next(ByteBuffer& pending, bool all) = 0;

 private:
  void on_chunk(ByteView chunk) {
    pending_.append(chunk);
    deliver_more();
    pace();
  }
  void on_end(Result<> how) {
    ended_ = true;
    how_ = std::move(how);
    deliver_more();
  }
  void deliver_more() {
    delivering_ = true;
    while (core_.size() < core_.capacity()) {
      std::optional<T> value = next(pending_, ended_);
      if (!value) break;
      core_.deliver(*std::move(value));
    }
    delivering_ = false;
    if (ended_ && pending_.empty())
      core_.end(how_ ? Error(Code::closed, "read") : std::move(how_).error());
  }

  void pace() {
    const bool full = core_.size() == core_.capacity();
    if (ended_ || full == paused_) return;
    paused_ = full;
    full ? reader_->pause() : reader_->resume();
  }

  ChannelCore<T>& core_;
  std::unique_ptr<StdioReader> reader_;
  ByteBuffer pending_;  ///< What no value has taken yet.
  Result<> how_;
  bool ended_ = false;
  bool paused_ = false;
  bool delivering_ = false;
};

class ChunkFeed final : public Feed<Bytes> {
 public:
  using Feed::Feed;

 private:
  std::optional<Bytes> next(ByteBuffer& pending, bool) override {
    if (pending.empty()) return std::nullopt;
    Bytes chunk(pending.view().begin(), pending.view().end());
    pending.clear();
    return chunk;
  }
};

class LineFeed final : public Feed<std::string> {
 public:
  using Feed::Feed;

 private:
  std::optional<std::string> next(ByteBuffer& pending, bool all) override {
    const std::string_view text = as_text(pending.view());
    const std::size_t end = text.find('\n');
    const bool cut = end == std::string_view::npos;
    // A line of just this length may have its end in the next chunk.
    if (text.empty() || (cut && !all && text.size() <= kLineBytesMax)) return std::nullopt;
    const std::size_t length = std::min(cut ? text.size() : end, kLineBytesMax);
    std::string line(text.substr(0, length));
    pending.consume(length + (length == end ? 1 : 0));
    return line;
  }
};

template <class F, class T>
Result<Receiver<T>> read_into(UvReactor& reactor, int descriptor) {
  Result<std::unique_ptr<StdioReader>> reader = StdioReader::make(reactor, descriptor);
  if (!reader) return std::move(reader).error();
  auto* core = new ChannelCore<T>(kItems);
  Receiver<T> receiver(core);
  auto feed = std::make_unique<F>(*core, *std::move(reader));
  F& started = *feed;
  core->attach(std::unique_ptr<detail::Source>(std::move(feed)));
  started.start();
  return receiver;
}

/// Takes a chunk at a time; the next is accepted once it has left.
class WriterSink final : public detail::Sink<Bytes> {
 public:
  explicit WriterSink(ChannelCore<Bytes>& core) : core_(core) {}

  Result<> start(UvReactor& reactor, int descriptor) {
    Result<std::unique_ptr<StdioWriter>> writer = StdioWriter::make(
        reactor, descriptor,
        [this] {
          busy_ = false;
          core_.admit_senders();
        },
        [this](Error error) {
          busy_ = false;
          core_.end(std::move(error));
        });
    if (!writer) return std::move(writer).error();
    writer_ = *std::move(writer);
    return {};
  }
  Result<bool> accept(Bytes& value, bool) override {
    if (busy_) return false;
    writing_ = value;
    busy_ = !writer_->write(writing_);
    return true;
  }
  bool has_room() const override { return !busy_; }
  void close(const Error&) override { writer_->close(); }

 private:
  ChannelCore<Bytes>& core_;
  std::unique_ptr<StdioWriter> writer_;
  Bytes writing_;  ///< Stays in place while the writer is busy.
  bool busy_ = false;
};

}  // namespace

void reserve_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    const int wrong_way = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    const int opened = ::open("/dev/null", wrong_way | O_CLOEXEC);  // takes the lowest that is free
    TUBING_ASSERT(opened < 0 || opened == descriptor, opened, descriptor);
  }
}

Result<> check_readable(int descriptor) { return StdioReader::check(descriptor); }
Result<> check_writable(int descriptor) { return StdioWriter::check(descriptor); }

Result<Receiver<Bytes>> read_chunks(UvReactor& reactor, int descriptor) {
  return read_into<ChunkFeed, Bytes>(reactor, descriptor);
}

Result<Receiver<std::string>> read_lines(UvReactor& reactor, int descriptor) {
  return read_into<LineFeed, std::string>(reactor, descriptor);
}

Result<Sender<Bytes>> write_chunks(UvReactor& reactor, int descriptor) {
  auto* core = new ChannelCore<Bytes>(0);
  Sender<Bytes> sender(core);
  auto sink = std::make_unique<WriterSink>(*core);
  WriterSink& started = *sink;
  core->attach(std::unique_ptr<detail::Sink<Bytes>>(std::move(sink)));
  if (Result<> made = started.start(reactor, descriptor); !made) return std::move(made).error();
  return sender;
}

}  // namespace tubing
