// The bodies of ThreadCore.
#pragma once

#include "tubing/channel/detail/thread_core.h"

namespace tubing::detail {

template <class T>
std::optional<std::chrono::steady_clock::time_point> ThreadCore<T>::due(Deadline deadline) {
  using Clock = std::chrono::steady_clock;
  if (deadline.never()) return std::nullopt;
  const auto now = std::chrono::duration_cast<Duration>(Clock::now().time_since_epoch());
  const Time at = deadline.from(Time(now));
  if (at == Time::max()) return std::nullopt;
  return Clock::time_point(at.time_since_epoch());
}

template <class T>
template <class V>
Result<> ThreadCore<T>::send(V&& value, Deadline deadline) {
  const auto until = due(deadline);
  Hold hold(lock_);
  bool late = false;
  while (!end_ && !asks_for_room()) {
    if (late) return Error(Code::deadline_exceeded, "send");
    if (!until) {
      room_.wait(hold);
    } else {
      late = room_.wait_until(hold, *until) == std::cv_status::timeout;
    }
  }
  if (end_) return end_->met_by("send");
  put(std::forward<V>(value));
  return {};
}

template <class T>
Result<bool> ThreadCore<T>::try_send(T&& value) {
  const std::lock_guard hold(lock_);
  if (end_) return end_->met_by("send");
  if (!has_room()) return false;
  put(std::move(value));
  return true;
}

template <class T>
Result<T> ThreadCore<T>::recv(Deadline deadline) {
  const auto until = due(deadline);
  Hold hold(lock_);
  TUBING_ASSERT(!had_reader_ && "a loop receives from this ThreadChannel");
  bool late = false;
  while (!end_ && inbox_.empty()) {
    if (late) return Error(Code::deadline_exceeded, "recv");
    ++receivers_waiting_;
    if (!until) {
      filled_.wait(hold);
    } else {
      late = filled_.wait_until(hold, *until) == std::cv_status::timeout;
    }
    --receivers_waiting_;
  }
  if (inbox_.empty()) return end_->met_by("recv");
  Result<T> value(std::move(inbox_.front()));
  inbox_.pop();
  taken_.fetch_add(1);
  if (room_wanted_.load()) tell_room();
  return value;
}

template <class T>
template <class V>
void ThreadCore<T>::put(V&& value) {
  inbox_.push(std::forward<V>(value));
  ++sent_;
  if (reader_) {
    if (!std::exchange(reader_told_, true)) reader_->post();
  } else if (receivers_waiting_ > 0) {
    filled_.notify_one();
  }
}

template <class T>
void ThreadCore<T>::tell_room() {
  room_wanted_.store(false);
  room_.notify_all();
  for (LoopEnd* writer : writers_)
    if (std::exchange(writer->wants_room, false)) writer->post();
}

template <class T>
void ThreadCore<T>::close(Error how) {
  const std::lock_guard hold(lock_);
  end(std::move(how));
}

template <class T>
void ThreadCore<T>::end(Error how) {
  if (end_) return;
  end_.emplace(std::move(how));
  room_.notify_all();
  filled_.notify_all();
  if (reader_ && !std::exchange(reader_told_, true)) reader_->post();
  for (LoopEnd* writer : writers_) writer->post();
}

template <class T>
void ThreadCore<T>::add_writer(LoopEnd& writer) {
  const std::lock_guard hold(lock_);
  writers_.push_back(&writer);
  if (end_) writer.post();
}

template <class T>
void ThreadCore<T>::remove_writer(LoopEnd& writer) {
  const std::lock_guard hold(lock_);
  std::erase(writers_, &writer);
}

template <class T>
Result<bool> ThreadCore<T>::send_from(LoopEnd& writer, const T& value) {
  const std::lock_guard hold(lock_);
  if (end_) return end_->met_by("send");
  if (!asks_for_room()) {
    writer.wants_room = true;
    return false;
  }
  put(value);
  return true;
}

template <class T>
bool ThreadCore<T>::has_room_for(LoopEnd& writer) {
  const std::lock_guard hold(lock_);
  if (end_ || asks_for_room()) return true;
  writer.wants_room = true;
  return false;
}

template <class T>
std::optional<Error> ThreadCore<T>::how_ended() {
  const std::lock_guard hold(lock_);
  return end_;
}

template <class T>
void ThreadCore<T>::set_reader(LoopEnd& reader) {
  const std::lock_guard hold(lock_);
  TUBING_ASSERT(!had_reader_ && receivers_waiting_ == 0 && "one loop receives, or threads do");
  reader_ = &reader;
  had_reader_ = true;
  reader_told_ = true;
  reader.post();
}

template <class T>
void ThreadCore<T>::drop_reader() {
  InboxRing<T> dropped(capacity_);
  const std::lock_guard hold(lock_);
  reader_ = nullptr;
  inbox_.swap(dropped);
  end(Error(Code::closed, "channel", "its receiving loop no longer receives"));
}

template <class T>
std::optional<Error> ThreadCore<T>::take_over(InboxRing<T>& batch) {
  const std::lock_guard hold(lock_);
  reader_told_ = false;
  inbox_.swap(batch);
  return end_;
}

}  // namespace tubing::detail
