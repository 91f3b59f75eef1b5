// Counted: a value that tells how many copies of it live.
#pragma once

namespace tubing::test {

/// Copied by copy and by move alike.
class Counted {
 public:
  explicit Counted(int& living) : living_(living) { ++living_; }
  Counted(const Counted& other) : living_(other.living_) { ++living_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --living_; }

 private:
  int& living_;
};

}  // namespace tubing::test
