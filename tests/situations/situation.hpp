#pragma once

// A situation: rows, what happens to an index of them, and what it is asked, all drawn by a seed.

#include <set>
#include <sstream>

#include "situations/questions.hpp"

namespace situations {

struct situation {
  std::uint64_t seed = 0;
  std::size_t kind_number = 0, n = 0;
  data_plan data;
  std::vector<operation> operations;
  annulus::nndescent_params params;
};

inline situation draw_situation(std::uint64_t seed, std::size_t n_kinds = std::size(all_kinds)) {
  dice random(seed, 0);
  situation drawn;
  drawn.seed = seed;
  drawn.kind_number = random.below(n_kinds);
  drawn.n = static_cast<std::size_t>(300 * std::pow(5, static_cast<double>(random.below(1000)) / 1000));
  drawn.data.what = static_cast<shape>(random.below(std::size(shape_names)));
  drawn.data.is_shuffled = random.chance(0.5);
  drawn.data.dim = std::array<std::size_t, 5>{2, 4, 8, 16, 24}[random.below(5)];
  if (drawn.data.what == shape::few_values) drawn.data.dim = random.from(1, 3);
  drawn.operations.push_back(static_cast<operation>(random.below(n_starts)));
  for (std::size_t i = random.from(0, 3); i > 0; --i)
    drawn.operations.push_back(static_cast<operation>(random.from(n_starts, std::size(operation_names) - 1)));
  drawn.params.seed = random.below(1000);
  drawn.params.threads = random.from(1, 3);
  return drawn;
}

inline std::string describe(const situation& s) {
  std::ostringstream text;
  text << "seed " << s.seed << ": " << s.n << " rows, " << shape_names[static_cast<std::size_t>(s.data.what)] << ", "
       << s.data.dim << (s.data.dim == 1 ? " column, " : " columns, ") << (s.data.is_shuffled ? "shuffled" : "in order")
       << "; " << all_kinds[s.kind_number]->name << ';';
  std::string_view before = " ";
  for (const operation o : s.operations) {
    text << before << operation_names[static_cast<std::size_t>(o)];
    before = ", ";
  }
  return text.str();
}

/// What went wrong, one line each.
inline std::vector<std::string> run(const situation& s, const std::filesystem::path& file) {
  dice of_rows(s.seed, 1), of_operations(s.seed, 2), of_questions(s.seed, 3);
  const kind& k = *all_kinds[s.kind_number];
  std::vector<std::string> failures;
  std::string_view at;
  try {
    matrix<float> pool = as_coordinates(draw_rows(s.data, 2 * s.n, of_rows), k.takes, of_rows);
    history told(k, std::move(pool), s.n, s.params, of_operations, file);
    for (const operation o : s.operations) {
      at = operation_names[static_cast<std::size_t>(o)];
      told.apply(o);
    }
    for (std::size_t q = 0; q < std::size(question_names); ++q) {
      at = question_names[q];
      interview asked(told, of_questions);
      try {
        asked.ask(static_cast<question>(q));
      } catch (const soak::mismatch& error) {
        failures.push_back(std::string(at) + ": " + error.what());
      }
      for (const finding& f : asked.findings()) {
        if (f.holds()) continue;
        std::ostringstream text;
        text << f.what << ": " << f.share << ", not " << f.least;
        failures.push_back(text.str());
      }
    }
  } catch (const std::exception& error) {
    failures.push_back(std::string(at) + ": " + error.what());
  }
  return failures;
}

/// A situation of fewer rows that fails too: n is halved as long as it does.
inline situation shrunk(situation failing, const std::filesystem::path& file) {
  while (failing.n >= 4) {
    situation smaller = failing;
    smaller.n /= 2;
    if (run(smaller, file).empty()) break;
    failing = smaller;
  }
  return failing;
}

/// Nothing for a situation that holds; otherwise what went wrong in it, and in the least that still fails.
inline std::string report(const situation& s, const std::filesystem::path& file) {
  std::ostringstream text;
  const auto describe_failures = [&](const situation& failing, const std::vector<std::string>& failures) {
    text << describe(failing) << '\n';
    for (const auto& failure : failures) text << "  " << failure << '\n';
  };
  const auto failures = run(s, file);
  if (failures.empty()) return {};
  describe_failures(s, failures);
  if (const situation least = shrunk(s, file); least.n < s.n) describe_failures(least, run(least, file));
  return text.str();
}

}  // namespace situations
