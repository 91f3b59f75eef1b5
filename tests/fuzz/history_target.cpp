// Histories from anybody: what is refused is refused by its line; what is read is written back the
// same, and judged within its limits whatever it says.
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/history.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"

namespace tubing::fuzz {
namespace {

using sim::History;
using sim::Verdict;

constexpr sim::HistoryLimits kLimits{
    .bytes_max = 1 << 16, .line_bytes_max = 1 << 12, .operations_max = 64, .values_max = 1 << 10};

template <sim::Model M>
void judge(const History& history) {
  const sim::LinearizabilityOptions options{.configurations_max = 1'000,
                                            .memory_bytes_max = 1 << 20,
                                            .work_max = 20'000,
                                            .story_work_max = 20'000};
  const auto report = sim::check_linearizable(M(), history, options);
  if (!report) {
    TUBING_ASSERT(report.code() == Code::invalid_argument, report.error().text());
    TUBING_ASSERT(report.error().detail().starts_with("line "), report.error().text());
    return;
  }
  TUBING_ASSERT((report->verdict == Verdict::illegal) == report->illegal.has_value());
  TUBING_ASSERT((report->verdict == Verdict::undecided) <= !report->undecided.empty());
  if (report->illegal) TUBING_ASSERT(!report->illegal->text(history).empty());
}

void run(ByteView input) {
  Input in(input);
  const std::uint8_t model = in.byte();
  const ByteView rest = in.rest();
  const auto history = sim::read_history(as_text(rest), kLimits);
  if (!history) {
    const Code code = history.code();
    TUBING_ASSERT(code == Code::invalid_argument || code == Code::resource_exhausted,
                  history.error().text());
    return;
  }
  TUBING_ASSERT(history->size() <= kLimits.operations_max);
  const std::string text = sim::history_text(*history);
  const auto again = sim::read_history(text);
  TUBING_ASSERT(again && *again == *history, text);
  switch (model % 5) {
    case 0: return judge<sim::RegisterModel>(*history);
    case 1: return judge<sim::CasModel>(*history);
    case 2: return judge<sim::ListModel>(*history);
    case 3: return judge<sim::LockModel>(*history);
    default: return judge<sim::QueueModel>(*history);
  }
}

std::vector<Bytes> seeds() {
  const std::string write =
      R"({"client":1,"op":"write","key":"a","value":1,"call":1,"return":2,"ok":true,"rev":3})"
      "\n";
  const std::string read =
      R"({"client":2,"op":"read","key":"a","value":[0],"call":3,"return":4,"ok":true})"
      "\n";
  const std::string unknown = R"({"client":3,"op":"write","value":null,"call":1,"return":null})";
  const std::string failed =
      R"({"client":3,"op":"cas","from":"a","to":true,"call":1,"return":1,"ok":false})";
  const std::string swap =
      R"({"client":4,"op":"cas","from":null,"to":1,"swapped":true,"call":-5,"return":9,"ok":true})"
      "\n";
  const std::string lists =
      R"({"client":1,"op":"append","value":"x","length":1,"call":1,"return":2,"ok":true})"
      "\n"
      R"({"client":2,"op":"read","values":["x"],"call":1,"return":4,"ok":true})";
  const std::string lock =
      R"({"client":1,"op":"acquire","token":1,"call":1,"return":2,"ok":true})"
      "\n"
      R"({"client":1,"op":"use","token":1,"accepted":false,"call":3,"return":4,"ok":true})"
      "\n"
      R"({"client":2,"op":"expire","token":1,"call":1,"return":null})";
  const std::string queue =
      R"({"client":1,"op":"enqueue","value":"x","call":1,"return":2,"ok":true})"
      "\n"
      R"({"client":1,"op":"dequeue","value":null,"call":3,"return":4,"ok":true})";
  return {Script().byte(0).text(write + read),  Script().byte(0).text(write + unknown),
          Script().byte(1).text(swap + failed), Script().byte(2).text(lists),
          Script().byte(3).text(lock),          Script().byte(4).text(queue)};
}

}  // namespace

Target history_target() { return {"history", run, seeds}; }

}  // namespace tubing::fuzz
