// JSON: a value as text for people and their tools. Written only; nothing here reads it.
#pragma once

#include <string>

#include "tubing/channel/detail/codec_kinds.h"
#include "tubing/channel/fields.h"

namespace tubing {

/// `value` as one line of JSON, by the same list of fields as its encoding: a type with fields is
/// an object, bytes are a string of hexadecimal digits, an enum is its number, a duration its
/// count, an optional the value or null, a variant [index, value], a float that is no number null.
/// A map is an object where its keys are strings, else an array of pairs.
/// Requires: strings are UTF-8; their bytes pass as they are.
template <class T>
std::string to_json(const T& value);

}  // namespace tubing

#include "tubing/channel/detail/json_writer.inl.h"
