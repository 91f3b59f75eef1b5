#include "tubing/sim/judges/ruling.h"

#include <fmt/format.h>

#include "tubing/channel/base/assert.h"

namespace tubing::sim {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::legal: return "legal";
    case Verdict::illegal: return "illegal";
    case Verdict::undecided: break;
  }
  return "undecided";
}

std::string told(const Ruling& ruling, const History& history) {
  if (ruling.legal()) return "legal";
  std::string text = ruling.why;
  for (const std::size_t at : ruling.operations) {
    TUBING_ASSERT(at < history.size());
    text += "\n  " + told(history[at]);
  }
  return text;
}

Error at_line(std::size_t at, const Error& error) {
  return Error(error.code(), error.operation(), fmt::format("line {}: {}", at + 1, error.detail()));
}

}  // namespace tubing::sim
