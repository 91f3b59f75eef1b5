#include "tubing/sim/cli/check_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <optional>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/channel/json.h"
#include "tubing/sim/cli/check_rulings.h"
#include "tubing/sim/cli/input_text.h"
#include "tubing/sim/cli/run_command.h"
#include "tubing/sim/cli/run_report.h"
#include "tubing/sim/cli/run_texts.h"
#include "tubing/sim/detail/span_text.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/map_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"
#include "tubing/sim/judges/witness.h"

namespace tubing::cli {
namespace {

using sim::History;
using sim::LinearizabilityOptions;
using sim::LinearizabilityReport;
using sim::Verdict;

using Judge = Result<LinearizabilityReport> (*)(const History&, const LinearizabilityOptions&);

template <sim::Model M>
Result<LinearizabilityReport> judge_by(const History& history,
                                       const LinearizabilityOptions& options) {
  return sim::check_linearizable(M(), history, options);
}

/// The judge that needs no more than times.
constexpr const char* kTimes = "linearizability";

struct NamedJudge {
  const char* model;
  Judge judge;
};
constexpr NamedJudge kJudges[] = {
    {"register", judge_by<sim::RegisterModel>}, {"cas", judge_by<sim::CasModel>},
    {"map", judge_by<sim::MapModel>},           {"list", judge_by<sim::ListModel>},
    {"lock", judge_by<sim::LockModel>},         {"queue", judge_by<sim::QueueModel>}};

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const NamedJudge& named : kJudges) names.emplace_back(named.model);
  return names;
}

/// What --json prints.
struct CheckJson {
  std::string verdict;
  std::string model;
  std::uint64_t operations = 0;
  std::uint64_t parts = 0;
  std::uint64_t illegal_parts = 0;
  std::string part;
  std::vector<std::uint64_t> lines;  ///< Of the operations that have no order.
  std::vector<std::string> told;
  std::uint64_t others = 0;
  bool cut_down = false;
  std::optional<std::int64_t> since;
  std::vector<std::string> states_before;
  std::optional<std::int64_t> until;
  std::vector<std::string> states_behind;
  std::string undecided;
  static constexpr auto fields = tubing::fields(
      "verdict", &CheckJson::verdict, "model", &CheckJson::model, "operations",
      &CheckJson::operations, "parts", &CheckJson::parts, "illegal_parts",
      &CheckJson::illegal_parts, "part", &CheckJson::part, "lines", &CheckJson::lines, "told",
      &CheckJson::told, "others", &CheckJson::others, "cut_down", &CheckJson::cut_down, "since",
      &CheckJson::since, "states_before", &CheckJson::states_before, "until", &CheckJson::until,
      "states_behind", &CheckJson::states_behind, "undecided", &CheckJson::undecided);
};

std::string json_text(const LinearizabilityReport& report, const std::string& model,
                      const History& history) {
  CheckJson json{.verdict = std::string(verdict_name(report.verdict)),
                 .model = model,
                 .operations = report.operations,
                 .parts = report.parts,
                 .illegal_parts = report.illegal_parts,
                 .part = {},
                 .lines = {},
                 .told = {},
                 .since = {},
                 .states_before = {},
                 .until = {},
                 .states_behind = {},
                 .undecided = report.undecided};
  if (report.illegal) {
    json.part = report.illegal->part;
    for (const std::size_t operation : report.illegal->operations) {
      json.lines.push_back(operation + 1);
      json.told.push_back(told(history[operation]));
    }
    json.others = report.illegal->others;
    json.cut_down = report.illegal->cut_down;
    json.since = report.illegal->since;
    json.until = report.illegal->until;
    json.states_before = report.illegal->states_before;
    json.states_behind = report.illegal->states_behind;
  }
  return to_json(json) + "\n";
}

std::string text_of(const LinearizabilityReport& report, const History& history) {
  std::string text =
      fmt::format("{}: {} operations in {} {}\n", verdict_name(report.verdict), report.operations,
                  report.parts, report.parts == 1 ? "part" : "parts");
  if (report.illegal_parts > 1)
    text +=
        fmt::format("{} parts have no order; the shortest story of them:\n", report.illegal_parts);
  if (report.illegal) text += report.illegal->text(history);
  if (report.verdict == Verdict::undecided) text += report.undecided + "\n";
  return text;
}

/// Shows on a terminal how far the judge is.
class CheckProgress {
 public:
  explicit CheckProgress(bool shown) : shown_(shown) {}
  ~CheckProgress() {
    if (on_screen_) put(stderr, "\r\x1b[K");
  }
  CheckProgress(const CheckProgress&) = delete;
  CheckProgress& operator=(const CheckProgress&) = delete;

  void show(const sim::JudgeProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - printed_ < std::chrono::milliseconds(200)) return;
    printed_ = now;
    on_screen_ = true;
    put(stderr, fmt::format("\r\x1b[K{} of {} parts, {} of {} operations", progress.parts_done,
                            progress.parts, progress.operations_done, progress.operations));
  }

 private:
  const bool shown_;
  bool on_screen_ = false;
  std::chrono::steady_clock::time_point printed_ = std::chrono::steady_clock::now();
};

int exit_status_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::legal: return kExitOk;
    case Verdict::illegal: return kExitViolation;
    case Verdict::undecided: break;
  }
  return kExitUndecided;
}

}  // namespace

CheckCommand::CheckCommand(CLI::App& app)
    : check_(app.add_subcommand("check", "Judge a recorded history; see sim/HISTORY.md")),
      judge_(kTimes) {
  add_file_option(*check_, "file", path_, "A line of JSON for each operation; - is standard input")
      .required();
  check_->add_option("--model", model_, "What the service should be")
      ->check(CLI::IsMember(model_names()));
  std::vector<std::string> judges = ruling_judges();
  judges.insert(judges.begin(), judge_);
  check_->add_option("--judge", judge_, "Go by times, by revisions, or by other lines")
      ->check(CLI::IsMember(judges))
      ->capture_default_str();
  const LinearizabilityOptions kDefaults;
  constexpr sim::WitnessOptions kWitness;
  add_limit("--work-max", limits_.work_max, std::uint64_t{INT64_MAX},
            fmt::format("Give up on a part behind so much work [{}; witness: {}]",
                        kDefaults.work_max, kWitness.steps_max));
  add_limit("--configurations-max", limits_.configurations_max, 1'000'000'000,
            fmt::format("Hold so many ways in which a part may stand [{}; witness: {}]",
                        kDefaults.configurations_max, kWitness.configurations_max));
  add_limit("--memory-max", limits_.memory_mib_max, std::uint64_t{1} << 20,
            fmt::format("MiB beside the history's own [{}]", kDefaults.memory_bytes_max >> 20));
  check_->add_flag("--json", json_, "Print one JSON object");
  check_->footer(
      "Exit status: 0 legal, 1 illegal, 2 malformed or not readable, 3 undecided within the "
      "limits.");
}

void CheckCommand::add_limit(const char* name, std::optional<std::uint64_t>& limit,
                             std::uint64_t max, const std::string& what) {
  // A number with a sign would be taken, and become another.
  const auto is_plain = [](const std::string& text) {
    return text.find_first_not_of("0123456789") == std::string::npos
               ? std::string()
               : fmt::format("{} is no whole number from 1 on", text);
  };
  check_->add_option(name, limit, what)->check(is_plain)->check(CLI::Range(std::uint64_t{1}, max));
}

int CheckCommand::run() {
  const Result<int> status = judge();
  if (status) return *status;
  put(stderr, sim::detail::printable(fmt::format("tubesim: {}\n", status.error().detail())));
  return kExitUsage;
}

/// What a judge does not take is refused, not passed over in silence.
Result<> CheckCommand::check_options() const {
  const bool takes_model = judge_ == kTimes || judge_ == "witness";
  const auto refused = [&](std::string_view option) {
    return Error(
        Code::invalid_argument, "check",
        fmt::format("{} is given, and --judge {} has no use for it; leave it out", option, judge_));
  };
  if (takes_model && model_.empty())
    return Error(Code::invalid_argument, "check",
                 fmt::format("--model is missing; the judge by {} needs one of {}", judge_,
                             fmt::join(model_names(), ", ")));
  if (!takes_model && !model_.empty()) return refused("--model");
  if (limits_.work_max && !takes_model && judge_ != "watches") return refused("--work-max");
  if (limits_.configurations_max && !takes_model) return refused("--configurations-max");
  if (limits_.memory_mib_max && !takes_model) return refused("--memory-max");
  return {};
}

Result<int> CheckCommand::judge() {
  const auto in_file = [&](const Error& error) {
    return Error(error.code(), "check",
                 fmt::format("{}: {}", path_ == "-" ? "standard input" : path_, error.detail()));
  };
  if (Result<> checked = check_options(); !checked) return checked.error();
  constexpr std::size_t kBytesMax = sim::HistoryLimits{}.bytes_max;
  Result<std::string> content = path_ == "-" ? read_input(std::cin, "standard input", kBytesMax)
                                             : read_input_file(path_, kBytesMax);
  if (!content) return std::move(content).error();
  const Result<History> history = sim::read_history(*content);
  if (!history) return in_file(history.error());
  content->clear();
  content->shrink_to_fit();
  if (history->empty())
    return in_file(Error(Code::invalid_argument, "check",
                         "there is no operation to judge; is it the file that was meant?"));
  if (judge_ != kTimes) {
    const Result<sim::Ruling> ruling =
        rule({.judge = judge_, .model = model_, .limits = limits_}, *history);
    if (!ruling) return in_file(ruling.error());
    const std::string report = ruling_report(*ruling, judge_, *history, json_);
    put(stdout, json_ ? report : sim::detail::printable(report));
    return exit_status_of(ruling->verdict);
  }
  Judge judge = nullptr;
  for (const NamedJudge& named : kJudges)
    if (model_ == named.model) judge = named.judge;
  LinearizabilityOptions options;
  options.work_max = limits_.work_max.value_or(options.work_max);
  options.configurations_max = limits_.configurations_max.value_or(options.configurations_max);
  options.memory_bytes_max = limits_.memory_bytes_max().value_or(options.memory_bytes_max);
  std::optional<CheckProgress> progress(std::in_place, ::isatty(STDERR_FILENO) == 1);
  options.on_progress = [&](const sim::JudgeProgress& now) { progress->show(now); };
  const Result<LinearizabilityReport> report = judge(*history, options);
  progress.reset();
  if (!report) return in_file(report.error());
  put(stdout, json_ ? json_text(*report, model_, *history)
                    : sim::detail::printable(text_of(*report, *history)));
  return exit_status_of(report->verdict);
}

}  // namespace tubing::cli
