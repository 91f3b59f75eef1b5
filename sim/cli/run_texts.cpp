#include "tubing/sim/cli/run_texts.h"

#include <fmt/format.h>

#include <utility>

#include "tubing/sim/cli/input_text.h"

namespace tubing::cli {
namespace {

Error bad_usage(std::string_view what) { return Error(Code::invalid_argument, "run", what); }

}  // namespace

CLI::Option& add_file_option(CLI::App& command, const char* name, std::string& path,
                             const char* what) {
  return *command.add_option(name, path, what)
              ->type_name("FILE")
              ->check([](const std::string& given) {
                return std::string(given.empty() ? "the name of a file is empty; give one" : "");
              });
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
  const auto add = [&run](const char* name, std::string& path, const char* what) {
    add_file_option(run, name, path, what);
  };
  add("--schedule", schedule_, "Take the faults from there; none are drawn");
  add("--keep-schedule", kept_schedule_.path, "Write the faults of the one seed there");
  add("--workload", workload_, "Take what clients do from there; nothing is drawn");
  add("--keep-workload", kept_workload_.path, "Write what clients of the one seed do there");
  add("--history", history_.path,
      "Write what clients of the one seed asked and were told there, as JSON lines");
  add("--trace", trace_.path,
      "Write each event of the one seed there; as JSON where it ends with .jsonl");
}

Result<> RunTexts::check(const sim::Scenario& scenario, bool one_seed) const {
  const std::pair<const char*, const std::string*> known[] = {{"schedule", &schedule_},
                                                              {"schedule", &kept_schedule_.path},
                                                              {"workload", &workload_},
                                                              {"workload", &kept_workload_.path},
                                                              {"history", &history_.path}};
  for (const auto& [option, path] : known)
    if (!path->empty() && !scenario.knows(option))
      return bad_usage(fmt::format("the scenario {} does not know {}; it knows: {}", scenario.name,
                                   option,
                                   scenario.options.empty() ? "nothing" : scenario.options));
  const std::pair<const char*, const std::string*> of_one[] = {
      {"schedule is kept", &kept_schedule_.path},
      {"workload is kept", &kept_workload_.path},
      {"history is written", &history_.path}};
  const char* const names[] = {"--keep-schedule", "--keep-workload", "--history"};
  for (std::size_t i = 0; i < std::size(of_one); ++i)
    if (!one_seed && !of_one[i].second->empty())
      return bad_usage(fmt::format("one {}; use --seed N {} FILE", of_one[i].first, names[i]));
  return {};
}

Result<> RunTexts::load(const sim::Scenario& scenario, sim::ScenarioOptions& options) const {
  options.history = !history_.path.empty();
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

Result<> RunTexts::open() {
  std::vector<std::pair<const char*, const std::string*>> named;
  if (!schedule_.empty()) named.emplace_back("--schedule", &schedule_);
  if (!workload_.empty()) named.emplace_back("--workload", &workload_);
  const std::pair<const char*, Output*> outputs[] = {{"--keep-schedule", &kept_schedule_},
                                                     {"--keep-workload", &kept_workload_},
                                                     {"--history", &history_},
                                                     {"--trace", &trace_}};
  for (const auto& [option, output] : outputs) {
    if (output->path.empty()) continue;
    Result<OutputFile> file = OutputFile::open(output->path);
    if (!file) return std::move(file).error();
    output->file.emplace(*std::move(file));
    for (const auto& [other, path] : named)
      if (output->file->is_also(*path))
        return bad_usage(
            fmt::format("{} and {} name the same file, {}; name two", other, option, output->path));
    named.emplace_back(option, &output->path);
  }
  return {};
}

Result<std::optional<sim::TraceFile>> RunTexts::trace() {
  if (trace_.path.empty()) return std::optional<sim::TraceFile>();
  Result<sim::TraceFile> file = sim::TraceFile::create(trace_.path);
  if (!file) return std::move(file).error();
  trace_.file->keep();
  return std::optional(*std::move(file));
}

Result<> RunTexts::keep(const sim::Outcome& outcome) {
  const std::pair<Output&, const std::string&> texts[] = {{kept_schedule_, outcome.schedule},
                                                          {kept_workload_, outcome.workload},
                                                          {history_, outcome.history}};
  Result<> all;
  for (const auto& [output, text] : texts) {
    if (!output.file) continue;
    Result<> written = output.file->write(text);
    if (all) all = std::move(written);
  }
  return all;
}

std::string RunTexts::repeat() const {
  std::string text;
  if (!schedule_.empty()) text += " --schedule " + quoted(schedule_);
  if (!workload_.empty()) text += " --workload " + quoted(workload_);
  return text;
}

}  // namespace tubing::cli
