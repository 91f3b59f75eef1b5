#include <array>
#include <set>
#include <string>

#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

// Where one seed must decide everything.
bool is_deterministic(std::string_view path) {
  if (path.find("/cli/") != std::string_view::npos ||
      path.find("/examples/") != std::string_view::npos)
    return false;
  return is_under(path, "tube") || is_under(path, "sim");
}

template <std::size_t N>
void find_words(const Source& source, const std::array<std::string_view, N>& words,
                const std::string& advice, Findings& findings) {
  for (std::string_view word : words)
    for (std::size_t at = find_word(source.code, word); at != std::string::npos;
         at = find_word(source.code, word, at + 1))
      findings.push_back({source.path, line_at(source, at), std::string(word) + ": " + advice});
}

// The names of the variables that a source declares as hashed containers.
std::set<std::string> hashed_names(const Source& source) {
  std::set<std::string> names;
  for (std::string_view type : {"unordered_map", "unordered_set", "unordered_multimap"}) {
    for (std::size_t at = find_word(source.code, type); at != std::string::npos;
         at = find_word(source.code, type, at + 1)) {
      std::size_t depth = 0;
      std::size_t end = at + type.size();
      for (; end < source.code.size(); ++end) {
        if (source.code[end] == '<') ++depth;
        if (source.code[end] == '>' && --depth == 0) break;
      }
      const std::size_t begin = source.code.find_first_not_of("> &\n", end);
      if (begin == std::string::npos) continue;
      std::size_t stop = begin;
      while (stop < source.code.size() && is_word_char(source.code[stop])) ++stop;
      if (stop > begin) names.insert(source.code.substr(begin, stop - begin));
    }
  }
  return names;
}

// `for (auto& x : name)`, `name.begin()`.
bool is_iterated(std::string_view code, std::size_t at, std::size_t size) {
  const std::string_view after = trim(code.substr(at + size, 10));
  if (after.starts_with(".begin(") || after.starts_with(".cbegin(")) return true;
  if (!after.starts_with(')')) return false;
  std::size_t before = at;
  while (before > 0 && (is_word_char(code[before - 1]) || code[before - 1] == '.')) --before;
  const std::size_t colon = code.find_last_not_of(" \n", before - 1);
  return before > 0 && colon != std::string_view::npos && colon > 0 && code[colon] == ':' &&
         code[colon - 1] != ':';
}

std::string stem(const std::string& path) { return path.substr(0, path.rfind('.')); }

}  // namespace

Findings check_sleeps(const Tree& tree) {
  constexpr std::array<std::string_view, 4> kSleeps{"sleep_for", "sleep_until", "usleep",
                                                    "nanosleep"};
  Findings findings;
  for (const Source& source : tree.sources)
    find_words(source, kSleeps, "wait for what must happen, or for the scheduler's timer",
               findings);
  return findings;
}

Findings check_clocks_and_generators(const Tree& tree) {
  constexpr std::array<std::string_view, 13> kWorld{"system_clock",
                                                    "steady_clock",
                                                    "high_resolution_clock",
                                                    "random_device",
                                                    "clock_gettime",
                                                    "gettimeofday",
                                                    "mt19937",
                                                    "mt19937_64",
                                                    "srand",
                                                    "this_thread",
                                                    "std::shuffle",
                                                    "std::hash",
                                                    "uniform_int_distribution"};
  constexpr std::array<std::string_view, 1> kGenerators{"random_device"};
  Findings findings;
  for (const Source& source : tree.sources) {
    if (is_deterministic(source.path))
      find_words(source, kWorld, "a run depends on its seed alone: use the Scheduler and the Prng",
                 findings);
    else
      find_words(source, kGenerators, "use crypto::Entropy for keys and Prng for all else",
                 findings);
  }
  return findings;
}

Findings check_hash_order(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    if (!is_deterministic(source.path)) continue;
    std::set<std::string> names = hashed_names(source);
    for (const Source& other : tree.sources)
      if (&other != &source && stem(other.path) == stem(source.path))
        names.merge(hashed_names(other));
    for (const std::string& name : names)
      for (std::size_t at = find_word(source.code, name); at != std::string::npos;
           at = find_word(source.code, name, at + 1))
        if (is_iterated(source.code, at, name.size()))
          findings.push_back({source.path, line_at(source, at),
                              "'" + name + "' is hashed, and its order differs between machines: " +
                                  "iterate over a map, or over sorted keys"});
  }
  return findings;
}

}  // namespace tubing::tidy
