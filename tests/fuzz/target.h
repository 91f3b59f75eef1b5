// Fuzz targets: programs over arbitrary bytes that abort where a promise is broken.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tubing/channel/base/bytes.h"

namespace tubing::fuzz {

/// One thing that takes bytes of a stranger, and how to try all of it.
///
/// Threads: one at a time.
struct Target {
  std::string_view name;
  /// Any bytes are good; a broken promise ends the process by TUBING_ASSERT or a sanitizer.
  void (*run)(ByteView input);
  /// Where a fuzzer begins: inputs that reach deep. `write_seeds` puts them into the corpus.
  std::vector<Bytes> (*seeds)();
};

Target certificate_target();
Target codec_target();
Target frames_target();
Target handshake_target();
Target history_target();
Target key_file_target();
Target mux_target();
Target mux_pair_target();
Target record_target();
Target texts_target();
Target trust_target();

/// All of them, in the order of their names.
inline std::vector<Target> all_targets() {
  return {certificate_target(), codec_target(),    frames_target(), handshake_target(),
          history_target(),     key_file_target(), mux_target(),    mux_pair_target(),
          record_target(),      texts_target(),    trust_target()};
}

}  // namespace tubing::fuzz
