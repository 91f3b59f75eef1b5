// Mailbox: how other threads reach the thread of a Scheduler.
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

namespace tubing::channel {

class Reactor;
class Mailbox;

/// One who is called on the Scheduler's thread when another thread has posted it. It joins a
/// Mailbox before it is posted, and leaves it before it dies.
class Mail {
 public:
  /// It was posted. On the Scheduler's thread, from `Reactor::park`.
  virtual void on_mail() = 0;
  /// The Reactor ends: nothing is delivered any more, and this is no longer a member.
  virtual void on_mailbox_end() = 0;

 protected:
  ~Mail() = default;

 private:
  friend class Mailbox;
  bool posted_ = false;  ///< And not yet taken for delivery; under the Mailbox's lock.
};

/// The part of a Reactor that other threads may call. What is posted before a delivery wakes the
/// Reactor once, however much it is.
class Mailbox {
 public:
  explicit Mailbox(Reactor& reactor) : reactor_(reactor) {}
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Has `mail.on_mail` called, once for all posts before the call. After `close` it does nothing.
  /// Requires: it is a member.
  /// Threads: any.
  void post(Mail& mail);

  /// Threads: the Scheduler's, as all that follow. Leaving takes back what was posted.
  void join(Mail& mail);
  void leave(Mail& mail);

  /// Says that `count` more, or fewer, may be posted from outside and are waited for: a source, as
  /// an open socket is one.
  void expect(int count) { expected_ += count; }
  bool is_expecting() const { return expected_ > 0; }

  /// For Reactors, at the end of each park: calls those that were posted.
  void deliver() {
    if (filled_.load(std::memory_order_acquire)) [[unlikely]]
      deliver_posted();
  }
  /// For Reactors, before they end: tells the members. No wake comes afterwards.
  void close();

 private:
  void deliver_posted();

  Reactor& reactor_;
  int expected_ = 0;
  std::atomic<bool> filled_ = false;
  std::mutex lock_;
  bool closed_ = false;
  std::vector<Mail*> posted_;
  std::vector<Mail*> members_;
  std::vector<Mail*> batch_;  ///< What is being delivered; the Scheduler's thread alone.
};

}  // namespace tubing::channel
