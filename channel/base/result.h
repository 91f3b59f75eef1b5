// Result<T>: a value or an Error. The road for trouble that comes from outside the process.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/base/error.h"

namespace tubing {

/// A value of type T, or the Error that stands in its place. A class of its own on std::expected,
/// since Clang ignores [[nodiscard]] on an alias.
///
/// `if (auto r = f()) use(*r); else report(r.error());`
template <class T = void>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result()
    requires(std::is_void_v<T> || std::is_default_constructible_v<T>)
  = default;
  template <class U = T>
    requires(!std::is_void_v<T> && std::is_constructible_v<T, U &&> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error>)
  Result(U&& value) : value_(std::forward<U>(value)) {}             // NOLINT: a value is a result
  Result(Error error) : value_(std::unexpect, std::move(error)) {}  // NOLINT: so is an error

  bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return value_.has_value(); }

  /// Requires: has_value(), asserted with the error's text.
  decltype(auto) operator*() & { return check_value(), *value_; }
  decltype(auto) operator*() const& { return check_value(), *value_; }
  decltype(auto) operator*() && { return check_value(), *std::move(value_); }
  auto operator->() { return check_value(), value_.operator->(); }
  auto operator->() const { return check_value(), value_.operator->(); }

  /// Requires: !has_value().
  const Error& error() const& {
    TUBING_ASSERT(!value_.has_value());
    return value_.error();
  }
  Error&& error() && {
    TUBING_ASSERT(!value_.has_value());
    return std::move(value_).error();
  }

  /// The error's code, or Code::ok.
  Code code() const { return value_.has_value() ? Code::ok : value_.error().code(); }

 private:
  void check_value() const {
    if (!value_.has_value()) [[unlikely]]
      fail_without_value();
  }
  [[noreturn, gnu::noinline, gnu::cold]] void fail_without_value() const {
    ::tubing::detail::assertion_failed("has_value()", "result.h", __LINE__,
                                       " " + value_.error().text());
  }

  std::expected<T, Error> value_;
};

/// Ok where both are, else the error; of two errors the first, with both texts where they differ.
Result<> both_ok(const Result<>& one, const Result<>& other);

}  // namespace tubing
