#include "tubing/sim/cli/run_command.h"

#include <fmt/format.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <thread>

#include "tubing/sim/cli/run_report.h"
#include "tubing/sim/cli/shrink_report.h"
#include "tubing/sim/scenarios/grid.h"

namespace tubing::cli {
namespace {

using sim::SeedOutcome;
using sim::SeedRange;

Error bad_usage(std::string_view what) { return Error(Code::invalid_argument, "run", what); }

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// While it lives Ctrl-C ends nothing, but lets its file be read.
class Interruption {
 public:
  Interruption() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
    file_ = ::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Interruption() {
    // One that came was heard: it must not end the program now.
    ::signalfd_siginfo heard;
    while (file_ >= 0 && ::read(file_, &heard, sizeof heard) > 0) {
    }
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    if (file_ >= 0) ::close(file_);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  int file() const { return file_; }

 private:
  ::sigset_t signals_;
  ::sigset_t before_;
  int file_ = -1;
};

/// What may be chosen of a scenario on the command line.
std::string options_text(const sim::Scenario& scenario) {
  constexpr std::pair<std::string_view, std::string_view> kOptions[] = {
      {"hosts", "--hosts"},
      {"messages", "--messages"},
      {"mode", "--mode"},
      {"faults", "--no-faults"},
      {"schedule", "--schedule, --keep-schedule"},
      {"workload", "--workload, --keep-workload"},
      {"history", "--history"},
      {"wrong", "--wrong"}};
  std::string text;
  for (const auto& [name, options] : kOptions)
    if (scenario.knows(name)) text += fmt::format("{}{}", text.empty() ? "" : ", ", options);
  return text;
}

/// The grammar of a schedule, in short.
std::string schedule_help() {
  constexpr std::string_view kLine =
      "A schedule has a fault on each line, behind the time at which it begins:\n"
      "    1500ms cut n0 -> n1 for 2s    # and a comment\n"
      "A SPAN is a whole number of s, ms, us or ns; tubesim list names the hosts. The faults, of\n"
      "which sim/SCHEDULE.md tells more:\n";
  constexpr std::string_view kEnd =
      "Exit status: 0 all passed, 1 a violation, 2 not as asked for, 130 interrupted.";
  return fmt::format("{}{}{}", kLine, indented(sim::schedule_forms()), kEnd);
}

Error bad_seed(const SeedOutcome& seed) {
  return bad_usage(fmt::format("seed {} has no world for what it is given: {}", seed.seed,
                               seed.outcome.violation));
}

int refuse(const Error& error) {
  put(stderr, fmt::format("tubesim: {}\n", error.detail()));
  return kExitUsage;
}

}  // namespace

RunCommand::RunCommand(CLI::App& app)
    : run_(app.add_subcommand("run", "Run seeds of a scenario")), texts_(*run_) {
  run_->add_option("scenario", name_, "Which: tubesim list shows them")->required();
  run_->add_option("--seed,--seeds", ranges_, "A seed, or A..B; may be given several times")
      ->required()
      ->allow_extra_args(false)
      ->type_name("N|A..B");
  run_->add_flag("--check", options_.check,
                 "Run each seed twice, side by side, and name the first event that differs");
  options_.jobs = std::max(1U, std::thread::hardware_concurrency());
  run_->add_option("--jobs", options_.jobs, "How many processes run at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  run_->add_option("--hosts", options_.scenario.hosts, "How many hosts there are")
      ->check(CLI::Range(2U, sim::kGridHostsMax));
  run_->add_option("--messages", options_.scenario.messages, "How many each sends to each other")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  run_->add_option("--mode", mode_, "message, or byte: with records, mux and encryption below")
      ->check(CLI::IsMember({"message", "byte"}));
  run_->add_option("--wrong", options_.scenario.wrong,
                   "Let the scenario make one of its mistakes: tubesim list shows them");
  run_->add_flag("--shrink", shrink_,
                 "Cut the first seed that fails down to the fewest faults and operations, tell its "
                 "story, and write files that repeat it");
  run_->add_flag("--no-faults", no_faults_,
                 "Order no faults; the world is otherwise the one that the seed draws");
  run_->add_flag("--json", json_, "Print a JSON object for each seed, and one for all");
  run_->add_flag("--quiet", quiet_, "Print no line for a seed that passed");
  run_->footer(schedule_help());
}

int RunCommand::run() {
  const Result<> prepared = prepare();
  if (!prepared) return refuse(prepared.error());
  const bool one = options_.seeds.size() == 1 && options_.seeds[0].count() == 1;
  return one ? run_one() : run_many();
}

Result<> RunCommand::prepare() {
  scenario_ = sim::find_scenario(name_);
  if (scenario_ == nullptr)
    return bad_usage(
        fmt::format("there is no scenario '{}'; tubesim list shows those there are", name_));
  for (const std::string& range : ranges_) {
    Result<> added = add_seeds(range);
    if (!added) return added;
  }
  Result<> known = check_options();
  if (!known) return known;
  options_.scenario.byte_mode = mode_ == "byte";
  options_.scenario.faults = !no_faults_;
  Result<> sound = scenario_->check(options_.scenario);
  if (!sound) return bad_usage(sound.error().detail());
  Result<> loaded = texts_.load(*scenario_, options_.scenario);
  if (!loaded) return loaded;
  return texts_.open();
}

Result<> RunCommand::add_seeds(const std::string& range) {
  const std::size_t dots = range.find("..");
  const auto first = number(std::string_view(range).substr(0, dots));
  const auto last =
      dots == std::string::npos ? first : number(std::string_view(range).substr(dots + 2));
  if (!first || !last)
    return bad_usage(fmt::format("'{}' names no seeds; write 5, or 1..1000", range));
  if (*last < *first)
    return bad_usage(fmt::format("'{}' is empty; write the smaller seed first", range));
  if (*last - *first == ~std::uint64_t{0})
    return bad_usage(fmt::format("'{}' are more seeds than can be counted; take fewer", range));
  options_.seeds.push_back({.first = *first, .last = *last});
  return {};
}

Result<> RunCommand::check_options() const {
  const std::pair<const char*, bool> chosen[] = {{"hosts", options_.scenario.hosts != 0},
                                                 {"messages", options_.scenario.messages != 0},
                                                 {"mode", run_->count("--mode") > 0},
                                                 {"faults", no_faults_},
                                                 {"wrong", run_->count("--wrong") > 0}};
  for (const auto& [option, given] : chosen)
    if (given && !scenario_->knows(option))
      return bad_usage(fmt::format("the scenario {} does not know {}; it knows: {}", name_, option,
                                   scenario_->options.empty() ? "nothing" : scenario_->options));
  const bool one = options_.seeds.size() == 1 && options_.seeds[0].count() == 1;
  if (texts_.wants_trace() && (!one || options_.check))
    return bad_usage("a trace is that of one seed, without --check; use --seed N --trace FILE");
  if (run_->count("--wrong") > 0 && !scenario_->errs(options_.scenario.wrong))
    return bad_usage(fmt::format("the scenario {} has no mistake '{}'; it has: {}", name_,
                                 options_.scenario.wrong, scenario_->wrongs));
  if (no_faults_ && texts_.gives_schedule())
    return bad_usage("--no-faults and --schedule exclude each other");
  return texts_.check(*scenario_, one);
}

std::string RunCommand::repeat(std::uint64_t seed) const {
  return sim::repeat_command(*scenario_, seed, options_) + texts_.repeat();
}

bool RunCommand::tell(const SeedOutcome& seed) {
  const bool passed = seed.outcome.violation.empty();
  if (quiet_ && passed) return true;
  if (json_) {
    put(stdout, seed_json(seed, repeat(seed.seed)) + "\n");
  } else {
    put(stdout, summary_line(*scenario_, seed) + "\n");
    if (!passed) put(stdout, violation_text(seed, repeat(seed.seed)));
  }
  return all_written(stdout);
}

int RunCommand::run_one() {
  const std::uint64_t seed = options_.seeds[0].first;
  Result<std::optional<sim::TraceFile>> trace = texts_.trace();
  if (!trace) return refuse(trace.error());
  Result<sim::Outcome> outcome =
      sim::run_seed_apart(*scenario_, seed, options_, *trace ? &**trace : nullptr);
  if (!outcome) return refuse(outcome.error());
  const SeedOutcome done{.seed = seed, .outcome = *std::move(outcome)};
  if (done.outcome.failure == sim::kRefused) return refuse(bad_seed(done));
  const bool told = tell(done);
  const Result<> kept = texts_.keep(done.outcome);
  const int status = kept ? kExitOk : refuse(kept.error());
  if (!told) return kExitUsage;
  if (done.outcome.violation.empty()) return status;
  return shrink_first(seed);
}

int RunCommand::run_many() {
  std::uint64_t seeds = 0;
  for (const SeedRange& range : options_.seeds) seeds += range.count();
  ProgressLine progress(seeds, ::isatty(STDERR_FILENO) == 1);
  std::optional<Interruption> interruption(std::in_place);
  options_.stop_file = interruption->file();
  bool written = true;
  std::optional<Error> bad;
  const auto report = sim::run_campaign(*scenario_, options_, [&](const SeedOutcome& seed) {
    if (seed.outcome.failure == sim::kRefused) {
      bad = bad_seed(seed);
      return false;
    }
    if (!quiet_ || !seed.outcome.violation.empty()) progress.clear();
    written = tell(seed);
    progress.step();
    return written;
  });
  // Who interrupts again, ends what is printed too.
  interruption.reset();
  progress.clear();
  if (!report) return refuse(report.error());
  if (bad) return refuse(*bad);
  // Nobody would read of what else came of it.
  if (!written) return kExitUsage;
  if (report->stopped)
    put(stderr, fmt::format("tubesim: interrupted behind {} of {} seeds\n", report->seeds, seeds));
  put(stdout, json_ ? campaign_json(*report) + "\n" : campaign_text(*report));
  for (const SeedOutcome& seed : report->violations)
    if (!json_)
      put(stdout,
          fmt::format("seed {} has a violation; to repeat it: {}\n", seed.seed, repeat(seed.seed)));
  if (report->stopped) return kExitInterrupted;
  if (!report->violations.empty()) return shrink_first(report->violations[0].seed);
  return report->passed() ? kExitOk : kExitViolation;
}

int RunCommand::shrink_first(std::uint64_t seed) {
  if (!shrink_) return kExitViolation;
  const Result<> told = shrink_and_tell(*scenario_, seed, options_, json_);
  if (!told) put(stderr, fmt::format("tubesim: {}\n", told.error().detail()));
  return kExitViolation;
}

std::string list_text() {
  std::string text;
  for (const sim::Scenario& scenario : sim::scenarios()) {
    text += fmt::format("{:<8} {}\n", scenario.name, scenario.summary);
    text += fmt::format("{:<8}   hosts: {}\n", "", scenario.hosts);
    text += fmt::format("{:<8}   options: {}\n", "", options_text(scenario));
    if (!scenario.wrongs.empty())
      text += fmt::format("{:<8}   mistakes, for --wrong: {}\n", "", scenario.wrongs);
  }
  return text + "tubesim run --help says what each option does, and how a schedule names hosts\n";
}

}  // namespace tubing::cli
