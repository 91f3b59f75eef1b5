#include "tubing/channel/task.h"

namespace tubing::detail {

std::coroutine_handle<> PromiseBase::after_end() {
  PromiseBase* frame = this;
  while (frame->error && frame->parent && frame->parent_unwraps) {
    frame->parent->error.emplace(*std::move(frame->error));
    frame = frame->parent;
  }
  if (frame->parent) return frame->parent->self;
  frame->strand->finished = true;
  return std::noop_coroutine();
}

std::coroutine_handle<> PromiseBase::fail(Error with) {
  error.emplace(std::move(with));
  return after_end();
}

Error error_of_exception() noexcept {
  try {
    throw;
  } catch (const std::exception& e) {
    return Error(Code::internal, "task", e.what());
  } catch (...) {
    return Error(Code::internal, "task", "an exception that is no std::exception");
  }
}

}  // namespace tubing::detail
