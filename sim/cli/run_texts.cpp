#include "tubing/sim/cli/run_texts.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tubing/sim/cli/input_text.h"

namespace tubing::cli {
namespace {

Error bad_usage(std::string_view what) { return Error(Code::invalid_argument, "run", what); }

}  // namespace

Result<> write_text(const std::string& path, std::string_view content) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr)
    return bad_usage(fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  const bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  if (std::fclose(file) == 0 && written) return {};
  return bad_usage(
      fmt::format("{} could not be written to its end: {}", path, std::strerror(errno)));
}

std::string quoted(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
  if (!path.empty() && path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string text = "'";
  for (const char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

RunTexts::RunTexts(CLI::App& run) {
  run.add_option("--schedule", schedule_, "Take the faults from there; none are drawn")
      ->type_name("FILE");
  run.add_option("--keep-schedule", kept_schedule_, "Write the faults of the one seed there")
      ->type_name("FILE");
  run.add_option("--workload", workload_, "Take what clients do from there; nothing is drawn")
      ->type_name("FILE");
  run.add_option("--keep-workload", kept_workload_, "Write what clients of the one seed do there")
      ->type_name("FILE");
  run.add_option("--history", history_,
                 "Write what clients of the one seed asked and were told there, as JSON lines")
      ->type_name("FILE");
}

Result<> RunTexts::check(const sim::Scenario& scenario, bool one_seed) const {
  const std::pair<const char*, const std::string*> known[] = {{"schedule", &schedule_},
                                                              {"schedule", &kept_schedule_},
                                                              {"workload", &workload_},
                                                              {"workload", &kept_workload_},
                                                              {"history", &history_}};
  for (const auto& [option, path] : known)
    if (!path->empty() && !scenario.knows(option))
      return bad_usage(fmt::format("the scenario {} does not know {}; it knows: {}", scenario.name,
                                   option,
                                   scenario.options.empty() ? "nothing" : scenario.options));
  const std::pair<const char*, const std::string*> of_one[] = {
      {"schedule is kept", &kept_schedule_},
      {"workload is kept", &kept_workload_},
      {"history is written", &history_}};
  const char* const names[] = {"--keep-schedule", "--keep-workload", "--history"};
  for (std::size_t i = 0; i < std::size(of_one); ++i)
    if (!one_seed && !of_one[i].second->empty())
      return bad_usage(fmt::format("one {}; use --seed N {} FILE", of_one[i].first, names[i]));
  return {};
}

Result<> RunTexts::load(const sim::Scenario& scenario, sim::ScenarioOptions& options) const {
  options.history = !history_.empty();
  const std::pair<const std::string&, std::optional<std::string>&> texts[] = {
      {schedule_, options.schedule}, {workload_, options.workload}};
  for (const auto& [path, text] : texts) {
    if (path.empty()) continue;
    Result<std::string> content = read_input_file(path, kRunTextBytesMax);
    if (!content) return std::move(content).error();
    text = *std::move(content);
    Result<> readable = scenario.check(options);
    if (!readable) return bad_usage(fmt::format("{}: {}", path, readable.error().detail()));
  }
  return {};
}

Result<> RunTexts::keep(const sim::Outcome& outcome) const {
  const std::pair<const std::string&, const std::string&> texts[] = {
      {kept_schedule_, outcome.schedule},
      {kept_workload_, outcome.workload},
      {history_, outcome.history}};
  for (const auto& [path, text] : texts) {
    if (path.empty()) continue;
    Result<> written = write_text(path, text);
    if (!written) return written;
  }
  return {};
}

std::string RunTexts::repeat() const {
  std::string text;
  if (!schedule_.empty()) text += " --schedule " + quoted(schedule_);
  if (!workload_.empty()) text += " --workload " + quoted(workload_);
  return text;
}

}  // namespace tubing::cli
