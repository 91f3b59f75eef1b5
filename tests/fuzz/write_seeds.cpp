// fuzz_seeds FOLDER: writes the seeds of every target as FOLDER/TARGET/seedN.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/target.h"

namespace {

bool write_seed(const std::filesystem::path& path, tubing::ByteView bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << tubing::as_text(bytes);
  return out.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER, such as tests/fuzz/corpus\n");
    return 2;
  }
  for (const tubing::fuzz::Target& target : tubing::fuzz::all_targets()) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const tubing::Bytes& seed : target.seeds()) {
      const auto path = folder / ("seed" + std::to_string(++number));
      if (write_seed(path, seed)) continue;
      std::fprintf(stderr, "fuzz_seeds: cannot write %s\n", path.c_str());
      return 1;
    }
  }
  return 0;
}
