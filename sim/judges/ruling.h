// Ruling: what a judge says of a history, and why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tubing/sim/judges/history.h"

namespace tubing::sim {

enum class Verdict : std::uint8_t {
  legal,
  illegal,
  undecided,  ///< A limit was met first. Never a guess.
};

/// "legal", "illegal", "undecided".
std::string_view verdict_name(Verdict verdict);

struct Ruling {
  Verdict verdict = Verdict::legal;
  /// The shortest argument, for people, or the limit that was met; empty where legal.
  std::string why = {};
  /// Of the operations that the argument is about, their places in the history.
  std::vector<std::size_t> operations = {};
  /// How many operations were for this judge; it passed over the others. 0: it judged nothing.
  std::size_t judged = 0;

  static Ruling illegal(std::string why, std::vector<std::size_t> operations) {
    return {Verdict::illegal, std::move(why), std::move(operations)};
  }
  bool legal() const { return verdict == Verdict::legal; }
};

/// The argument, and each of its operations on a line of its own; "legal" where it is.
std::string told(const Ruling& ruling, const History& history);

/// `error`, and the line of the history that has it: the operation's place and one.
Error at_line(std::size_t at, const Error& error);

}  // namespace tubing::sim
