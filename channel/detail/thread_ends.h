// ThreadReader and ThreadWriter: the ends of a ThreadChannel on a loop, as ordinary channels.
#pragma once

#include <memory>

#include "tubing/channel/channel.h"
#include "tubing/channel/detail/thread_core.h"

namespace tubing::detail {

/// Kept by all who may send. With the last of them an open channel ends.
template <class T>
struct ThreadHandle {
  explicit ThreadHandle(std::size_t capacity) : core(std::make_shared<ThreadCore<T>>(capacity)) {}
  ThreadHandle(const ThreadHandle&) = delete;
  ThreadHandle& operator=(const ThreadHandle&) = delete;
  ~ThreadHandle() {
    core->close(Error(Code::cancelled, "channel", "every sender was dropped before it was closed"));
  }

  // Shared: this and the receiving loop's ThreadReader; the core refers to neither.
  const std::shared_ptr<ThreadCore<T>> core;
};

template <class T>
// Shared: the ThreadHandle and the receiving loop's ThreadReader; the core refers to neither.
using SharedThreadCore = std::shared_ptr<ThreadCore<T>>;
template <class T>
// Shared: the copies of the ThreadChannel and the Senders of loops; it refers to the core alone.
using SharedThreadHandle = std::shared_ptr<ThreadHandle<T>>;

/// What the two have in common: a member of their loop's Mailbox, as long as both live.
class ThreadMail : public channel::Mail {
 public:
  explicit ThreadMail(Scheduler& scheduler) {
    end_.mailbox = &scheduler.reactor().mailbox();
    end_.mail = this;
    end_.mailbox->join(*this);
  }
  ThreadMail(const ThreadMail&) = delete;
  ThreadMail& operator=(const ThreadMail&) = delete;

 protected:
  ~ThreadMail() {
    expect(false);
    if (end_.mailbox) end_.mailbox->leave(*this);
  }
  /// Whether the loop waits for what others do.
  void expect(bool expects) {
    if (end_.mailbox) end_.mailbox->expect(int{expects} - int{expects_});
    expects_ = expects;
  }
  bool is_member() const { return end_.mailbox != nullptr; }
  void forget_mailbox() { end_.mailbox = nullptr; }

  LoopEnd end_;

 private:
  bool expects_ = false;
};

template <class T>
class ThreadReader final : public Source, private ThreadMail {
 public:
  static Receiver<T> make(SharedThreadCore<T> from, Scheduler& scheduler) {
    auto* to = new ChannelCore<T>(from->capacity());
    Receiver<T> rx(to);
    to->attach(std::unique_ptr<Source>(new ThreadReader(std::move(from), *to, scheduler)));
    return rx;
  }
  ~ThreadReader() override {
    if (is_member()) from_->drop_reader();
  }
  void on_taken() override { from_->note_taken(); }

 private:
  ThreadReader(SharedThreadCore<T> from, ChannelCore<T>& to, Scheduler& scheduler)
      : ThreadMail(scheduler), from_(std::move(from)), to_(to), batch_(from_->capacity()) {
    expect(true);
    from_->set_reader(end_);
  }
  void on_mail() override {
    std::optional<Error> end = from_->take_over(batch_);
    for (; !batch_.empty(); batch_.pop()) to_.deliver(std::move(batch_.front()));
    if (!end) return;
    to_.end(*std::move(end));
    expect(false);
  }
  void on_mailbox_end() override {
    from_->drop_reader();
    forget_mailbox();
  }

  const SharedThreadCore<T> from_;
  ChannelCore<T>& to_;
  InboxRing<T> batch_;
};

template <class T>
class ThreadWriter final : public Sink<T>, private ThreadMail {
 public:
  static Sender<T> make(SharedThreadHandle<T> to, Scheduler& scheduler) {
    auto* from = new ChannelCore<T>(0);
    Sender<T> tx(from);
    from->attach(std::unique_ptr<Sink<T>>(new ThreadWriter(*from, std::move(to), scheduler)));
    return tx;
  }
  ~ThreadWriter() override {
    if (is_member()) core().remove_writer(end_);
  }
  Result<bool> accept(T& value, bool) override {
    if (!is_member()) return Error(Code::closed, "send", "the loop has ended");
    Result<bool> accepted = core().send_from(end_, value);
    expect(accepted && !*accepted);
    return accepted;
  }
  bool has_room() const override {
    auto& self = const_cast<ThreadWriter&>(*this);
    const bool room = !is_member() || core().has_room_for(self.end_);
    self.expect(!room);
    return room;
  }
  void close(const Error& how) override { core().close(how); }

 private:
  ThreadWriter(ChannelCore<T>& from, SharedThreadHandle<T> to, Scheduler& scheduler)
      : ThreadMail(scheduler), from_(from), to_(std::move(to)) {
    core().add_writer(end_);
  }
  ThreadCore<T>& core() const { return *to_->core; }
  void on_mail() override {
    expect(false);
    if (auto end = core().how_ended()) return from_.end(*std::move(end));
    from_.admit_senders();
  }
  void on_mailbox_end() override {
    core().remove_writer(end_);
    forget_mailbox();
  }

  ChannelCore<T>& from_;
  const SharedThreadHandle<T> to_;
};

}  // namespace tubing::detail
