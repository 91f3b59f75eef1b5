#include "tubing/channel/stderr_logger.h"

#include <doctest/doctest.h>
#include <stdlib.h>

using namespace tubing;

TEST_CASE("log levels are read by module with a star for the others") {
  const auto levels = LogLevels::parse("rpc=debug,tube=error,*=info");
  REQUIRE(levels);
  CHECK(levels->of("rpc") == LogLevel::debug);
  CHECK(levels->of("tube") == LogLevel::error);
  CHECK(levels->of("channel") == LogLevel::info);
  const auto one = LogLevels::parse("rpc=info");
  REQUIRE(one);
  CHECK(one->of("rpc") == LogLevel::info);
  CHECK(one->of("tube") == LogLevel::warning);
}

TEST_CASE("a bad entry of the log levels is named with the list of levels") {
  struct Row {
    const char* text;
    const char* entry;
  };
  for (const Row& row :
       {Row{"rpc", "\"rpc\""}, Row{"rpc=debug,", "\"\""}, Row{"rpc=debug, tube=info", "\" tube="},
        Row{"rpc=loud,*=info", "\"rpc=loud\""}, Row{"rpc=Debug", "\"rpc=Debug\""},
        Row{"rpc=", "\"rpc=\""}, Row{"=debug", "\"=debug\""}, Row{"RPC=info", "\"RPC=info\""},
        Row{"*=info,rpc=info,rpc=debug", "\"rpc=debug\""}, Row{"*=info,*=info", "again"},
        Row{"rpc=info=debug", "\"rpc=info=debug\""}, Row{"r\033[31m=info", "r?[31m=info"}}) {
    CAPTURE(row.text);
    const auto levels = LogLevels::parse(row.text);
    REQUIRE(levels.code() == Code::invalid_argument);
    CHECK(levels.error().detail().contains(row.entry));
    CHECK(levels.error().detail().contains("debug, info, warning, error"));
  }
}

TEST_CASE("a bad entry of the log levels is shown to a bound however long it is") {
  const std::string name(kLogEntryCharsShown, 'm');
  const auto shown = [](const std::string& text) {
    return std::string(LogLevels::parse(text).error().detail());
  };
  CHECK(shown(name).contains("\"" + name + "\" is not MODULE=LEVEL"));
  CHECK(shown(name + "=").contains("\"" + name + "...\" is not MODULE=LEVEL"));
  CHECK(shown("rpc=" + std::string(1'000'000, '\a')).size() < 300);
}

TEST_CASE("log levels for more modules than the most are refused") {
  std::string text = "*=info";
  for (std::size_t i = 1; i < kLogModulesMax; ++i) text += "," + std::string(i, 'm') + "=debug";
  CHECK(LogLevels::parse(text));
  CHECK(LogLevels::parse(text + ",rpc=debug").code() == Code::resource_exhausted);
}

TEST_CASE("without TUBING_LOG warnings and errors are wanted") {
  for (const char* text : {"", static_cast<const char*>(nullptr)}) {
    text ? ::setenv(kLogVariable, text, 1) : ::unsetenv(kLogVariable);
    CHECK(LogLevels::from_environment().of("rpc") == LogLevel::warning);
  }
  ::setenv(kLogVariable, "rpc=debug", 1);
  CHECK(LogLevels::from_environment().of("rpc") == LogLevel::debug);
  ::unsetenv(kLogVariable);
}

TEST_CASE("a logged line has the time in UTC and the level and the module and printable text") {
  const WallTime at{1'795'442'751'123'999'999};
  CHECK(StderrLogger::text(at, LogLevel::warning, "rpc", "a\033line") ==
        "2026-11-23T14:05:51.123Z warning rpc: a?line");
  CHECK(StderrLogger::text({}, LogLevel::debug, "tube", "") ==
        "1970-01-01T00:00:00.000Z debug tube: ");
}

TEST_CASE("a logger asks for the levels that it was given") {
  int asked = 0;
  StderrWriter out;
  const auto wall_now = [&] {
    ++asked;
    return WallTime{};
  };
  StderrLogger logger(LogLevels(LogLevel::error), wall_now, out);
  CHECK(logger.lowest("rpc") == LogLevel::error);
  logger.log(LogLevel::warning, "rpc", "not wanted");
  CHECK(asked == 0);
}
