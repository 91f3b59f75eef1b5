// Operations in one line, and what a judge says of them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tubing/sim/judges/ruling.h"

namespace tubing::sim {

using Fields = std::vector<NamedValue>;

/// From `called` to `returned`, ended ok.
inline Operation done(std::uint64_t client, std::string op,
                      std::pair<std::int64_t, std::int64_t> span, Fields values,
                      std::optional<std::uint64_t> revision = {}) {
  return {.client = client,
          .op = std::move(op),
          .values = std::move(values),
          .called = span.first,
          .returned = span.second,
          .ending = Ending::ok,
          .revision = revision};
}

inline Operation lost(std::uint64_t client, std::string op, std::int64_t called, Fields values) {
  return {.client = client, .op = std::move(op), .values = std::move(values), .called = called};
}

inline Operation refused(Operation operation) {
  operation.ending = Ending::failed;
  operation.revision.reset();
  return operation;
}

/// Empty where it is legal; "malformed: …" for an error.
inline std::string why(const Result<Ruling>& ruling) {
  if (!ruling) return "malformed: " + std::string(ruling.error().detail());
  if (ruling->verdict == Verdict::undecided) return "undecided: " + ruling->why;
  return ruling->why;
}

/// One history, and what must stand in the argument against it; empty where it is legal.
struct JudgedRow {
  std::string_view name;
  History history;
  std::string_view expected;
};

inline bool fits(const std::string& why, std::string_view expected) {
  return expected.empty() ? why.empty() : why.contains(expected);
}

}  // namespace tubing::sim
