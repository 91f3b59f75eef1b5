// Key files for people and for programs: as aligned lines of text, and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tubing/crypto/certificate.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/key_file.h"
#include "tubing/crypto/psk_file.h"

namespace tubing::cli {

/// A JSON object that keeps the order in which its members were set.
using Json = nlohmann::ordered_json;

/// What may be known of a certificate, a key file, the authorities of a folder and a pre-shared
/// key; no secrets.
Json to_json(const crypto::Certificate& certificate);
Json to_json(const crypto::KeyFileInfo& info);
Json to_json(const std::vector<crypto::PublicKey>& authorities);
Json to_json(const crypto::Secret<crypto::kPskBytes>& psk);

/// One line for each member, under the line `title`; lists are separated by commas.
std::string to_lines(const std::string& title, const Json& object);

}  // namespace tubing::cli
