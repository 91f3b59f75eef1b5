// Report: what a benchmark prints: a table for people, and a list for machines.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tubing::bench {

/// How often each row is measured; the median is quoted.
inline constexpr int kRuns = 5;

/// Rows of one benchmark program. A row is the median of kRuns with its least and greatest value.
/// `--only` takes a row's name, or the begin of several names with a `*` behind it.
class Report {
 public:
  /// Understands `--json FILE` and `--only NAME`; ends the program with status 2 for other words.
  Report(std::string title, int argc, char** argv);

  /// Measures one row now. `measure` returns the value of one run, in `unit`. `peers` says what
  /// others do in the same place, for example "Go 37".
  /// Returns: the median; 0 for a row that `--only` leaves out.
  double row(std::string name, std::string unit, std::string peers,
             const std::function<double()>& measure);

  /// A row made of two medians: `value / base`. Left out where one of them was.
  void ratio(std::string name, double value, double base, std::string peers);

  /// Prints the machine and the table, and writes the JSON file. Returns the exit status.
  int finish();

 private:
  struct Row {
    std::string name;
    std::string unit;
    std::string peers;
    double median;
    double least;
    double greatest;
  };
  void print_table() const;
  bool write_json() const;

  std::string title_;
  std::string json_path_;
  bool wanted(std::string_view name);

  std::string only_;
  std::vector<std::string> names_;  ///< Of all rows, for the error about an unknown one.
  std::vector<Row> rows_;
};

/// Processor, cores, kernel and compiler, in one line.
std::string machine();

/// Restricts the calling thread to one processor, or to all of them again.
void pin_to_one_core();
void unpin();

}  // namespace tubing::bench
