// The rules of the house style that a program can check, one function each. Each looks at the whole
// tree and returns what it found; the text of a finding says how to mend it.
#pragma once

#include "tests/tidy/source.h"

namespace tubing::tidy {

// Sizes (size_rules.cpp).
Findings check_file_lengths(const Tree& tree);
Findings check_line_lengths(const Tree& tree);
Findings check_function_lengths(const Tree& tree);
Findings check_parameter_counts(const Tree& tree);

// Names, and where files lie (name_rules.cpp).
Findings check_top_level(const Tree& tree);
Findings check_file_names(const Tree& tree);
Findings check_type_names(const Tree& tree);

// Comments (comment_rules.cpp).
Findings check_commented_out_code(const Tree& tree);
Findings check_unfinished_words(const Tree& tree);
Findings check_contract_order(const Tree& tree);

// Ownership and state (ownership_rules.cpp).
Findings check_shared_ownership(const Tree& tree);
Findings check_mutable_globals(const Tree& tree);
Findings check_thread_local(const Tree& tree);

// Coroutines (coroutine_rules.cpp).
Findings check_coroutine_captures(const Tree& tree);
Findings check_await_in_macros(const Tree& tree);

// What makes a run depend on more than its seed (determinism_rules.cpp).
Findings check_sleeps(const Tree& tree);
Findings check_clocks_and_generators(const Tree& tree);
Findings check_hash_order(const Tree& tree);

// The arrows between modules (include_rules.cpp).
Findings check_include_form(const Tree& tree);
Findings check_module_arrows(const Tree& tree);
Findings check_private_headers(const Tree& tree);
Findings check_third_party(const Tree& tree);

// Tests (test_rules.cpp).
Findings check_case_names(const Tree& tree);
Findings check_planted_bugs(const Tree& tree);

// Promises (promise_rules.cpp).
Findings check_promises(const Tree& tree);

}  // namespace tubing::tidy
