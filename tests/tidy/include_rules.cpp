#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

// One #include: what stands between the quotes or the angle brackets.
struct Include {
  std::size_t line = 0;
  std::string_view name;
  bool is_quoted = false;
};

std::vector<Include> includes_of(const Source& source) {
  std::vector<Include> includes;
  const auto code = lines_of(source.code);
  const auto text = lines_of(source.text);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (!trim(code[i]).starts_with("#include")) continue;
    const std::size_t open = text[i].find_first_of("<\"");
    if (open == std::string_view::npos) continue;
    const std::size_t close = text[i].find_first_of(">\"", open + 1);
    if (close == std::string_view::npos) continue;
    includes.push_back({i + 1, text[i].substr(open + 1, close - open - 1), text[i][open] == '"'});
  }
  return includes;
}

bool is_program(std::string_view path) {
  return path.find("/cli/") != std::string_view::npos ||
         path.find("/examples/") != std::string_view::npos;
}

// One layer: the folder, and the folders that it may include. The longest folder that fits decides.
struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

const std::vector<Layer>& layers() {
  static const std::vector<Layer> kLayers{
      {"channel/base", {"channel/base"}},
      {"channel", {"channel"}},
      {"crypto", {"channel/base", "crypto"}},
      {"rpc", {"channel", "crypto", "rpc"}},
      {"tube/core", {"channel/base", "tube/core"}},
      {"tube", {"channel", "tube"}},
      {"sim", {"channel", "crypto", "rpc", "tube", "sim"}},
  };
  return kLayers;
}

const Layer* layer_of(std::string_view path) {
  const Layer* best = nullptr;
  for (const Layer& layer : layers())
    if (is_under(path, layer.folder) &&
        (best == nullptr || layer.folder.size() > best->folder.size()))
      best = &layer;
  return best;
}

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string_view module_of(std::string_view path) { return path.substr(0, path.find('/')); }

// A header of the standard library has neither a slash nor a dot.
bool is_standard(std::string_view name) {
  return name.find_first_of("/.") == std::string_view::npos;
}

// One library: how its headers begin, and how the paths begin that may include them.
struct Library {
  std::string_view header;
  std::vector<std::string_view> users;
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> kLibraries{
      {"uv.h", {"channel/uv_", "channel/detail/uv_", "channel/posix_disk", "rpc/tcp"}},
      {"msgpack", {"channel/codec", "channel/detail/codec"}},
      {"sodium", {"crypto/", "fuzz/key_file"}},
  };
  return kLibraries;
}

// A test may use what its unit uses.
std::string_view unit_of(std::string_view path) {
  return path.starts_with("tests/") ? path.substr(6) : path;
}

}  // namespace

Findings check_include_form(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    if (is_under(source.path, "tests/consumer")) continue;
    const bool is_test = is_under(source.path, "tests") || is_under(source.path, "bench");
    for (const Include& include : includes_of(source)) {
      if (!include.is_quoted) {
        if (include.name.starts_with("tubing/"))
          findings.push_back({source.path, include.line, "our own headers stand in quotes"});
        continue;
      }
      const bool is_ours = include.name.starts_with("tubing/");
      const bool is_beside = is_test && include.name.find('/') == std::string_view::npos;
      if (!is_ours && !(is_test && include.name.starts_with("tests/")) && !is_beside)
        findings.push_back(
            {source.path, include.line,
             "'" + std::string(include.name) +
                 "': write \"tubing/<module>/x.h\", in the tree and installed alike"});
    }
  }
  return findings;
}

Findings check_module_arrows(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const Layer* layer = layer_of(source.path);
    if (layer == nullptr || is_program(source.path)) continue;
    for (const Include& include : includes_of(source)) {
      if (include.name.starts_with("tubing/")) {
        const std::string_view target = include.name.substr(7);
        if (std::ranges::none_of(layer->may_include,
                                 [&](std::string_view folder) { return is_under(target, folder); }))
          findings.push_back({source.path, include.line,
                              std::string(layer->folder) + " may not know " + std::string(target) +
                                  "; it may include: " + join(layer->may_include)});
      } else if (layer->folder == "channel/base" && !is_standard(include.name) &&
                 !include.name.starts_with("fmt/")) {
        findings.push_back({source.path, include.line,
                            "channel/base stands on the standard library and fmt alone"});
      }
    }
  }
  return findings;
}

Findings check_private_headers(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    for (const Include& include : includes_of(source)) {
      if (!include.name.starts_with("tubing/")) continue;
      const std::string_view target = include.name.substr(7);
      if (target.find("/detail/") != std::string_view::npos &&
          module_of(target) != module_of(unit_of(source.path)))
        findings.push_back({source.path, include.line,
                            std::string(target) + " is private to " +
                                std::string(module_of(target)) + ": use a public header"});
    }
  }
  return findings;
}

Findings check_third_party(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const std::string_view unit = unit_of(source.path);
    for (const Include& include : includes_of(source)) {
      for (const Library& library : libraries()) {
        if (include.is_quoted || !include.name.starts_with(library.header)) continue;
        if (std::ranges::none_of(library.users,
                                 [&](std::string_view user) { return unit.starts_with(user); }))
          findings.push_back({source.path, include.line,
                              "<" + std::string(include.name) + "> is for " + join(library.users) +
                                  " alone: use what they offer"});
      }
    }
    if (source.path == "crypto/system_entropy.cpp") continue;
    for (const std::string_view generator : {"randombytes", "crypto_box_keypair"}) {
      const std::size_t at = source.code.find(generator);
      if (at != std::string::npos)
        findings.push_back({source.path, line_at(source, at),
                            std::string(generator) + ": key material comes from crypto::Entropy"});
    }
  }
  return findings;
}

}  // namespace tubing::tidy
