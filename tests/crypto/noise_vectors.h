// The runner of published Noise test vectors, in the JSON form of cacophony and snow.
#pragma once

#include <string>
#include <vector>

#include "tubing/channel/base/result.h"

namespace tubing::crypto {

/// What became of the vectors of one file.
struct VectorReport {
  std::size_t ran = 0;
  /// Names of the protocols that are not ours: other curves, ciphers or hashes, fallback, hfs.
  std::vector<std::string> skipped;
  /// One line for each vector that ran and disagreed, or that had to run and could not.
  std::vector<std::string> failed;

  bool passed() const { return ran > 0 && failed.empty(); }
};

/// Runs both sides of every vector in `json`: handshake, hash, and transport messages.
/// Errors: invalid_argument for a text that is not of that form, saying where.
Result<VectorReport> run_noise_vectors(const std::string& json);

/// The same for a file. Errors: not_found for one that cannot be read.
Result<VectorReport> run_noise_vector_file(const std::string& path);

}  // namespace tubing::crypto
