// The nearest words of words, by the cosine of 20,000 word vectors:
//   words [--data FOLDER] [WORD...]
// prints the nearest words of a dozen words and of those given, then how the methods compare.

#include <annulus/core/result/recall.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/lsh/families/cross_polytope.hpp>
#include <annulus/lsh/families/sign_random_projection.hpp>
#include <annulus/lsh/index.hpp>
#include <annulus/nndescent/index.hpp>
#include <annulus/quantization/fast_scan.hpp>
#include <annulus/quantization/optimized_product_quantizer.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <unordered_map>

namespace {

struct vocabulary {
  annulus::matrix<float> vectors;  // row i is the vector of words[i]
  std::vector<std::string> words;
  std::unordered_map<std::string, annulus::id_type> id_of;
};

vocabulary load(const std::filesystem::path& folder) {
  vocabulary v{annulus::read_vecs<float>(folder / "words-20k.fvecs"), {}, {}};
  std::ifstream file(folder / "words-20k.txt");
  for (std::string word; std::getline(file, word); v.words.push_back(word))
    v.id_of.emplace(word, static_cast<annulus::id_type>(v.words.size()));
  if (v.words.size() != v.vectors.rows()) throw std::runtime_error("there must be as many words as vectors");
  return v;
}

annulus::matrix<float> vectors_of(const vocabulary& v, const std::vector<annulus::id_type>& ids) {
  annulus::matrix<float> queries(ids.size(), v.vectors.cols());
  for (std::size_t i = 0; i < ids.size(); ++i) std::ranges::copy(v.vectors.row(ids[i]), queries.row(i).begin());
  return queries;
}

// Of k + 1 neighbours the k that are not the query itself.
annulus::neighbors without_self(const annulus::neighbors& found, const std::vector<annulus::id_type>& self) {
  const std::size_t k = found.ids.cols() - 1;
  annulus::neighbors others(self.size(), k);
  for (std::size_t i = 0; i < self.size(); ++i)
    for (std::size_t j = 0, kept = 0; j <= k && kept < k; ++j)
      if (found.ids(i, j) != self[i]) {
        others.ids(i, kept) = found.ids(i, j);
        others.distances(i, kept++) = found.distances(i, j);
      }
  return others;
}

// A way of searching, given the vectors of words and how many neighbours to find, and what it reads of each vector.
struct method {
  const char* name;
  std::size_t bytes;
  std::function<annulus::neighbors(const annulus::matrix<float>& queries, std::size_t k)> search;
};

void print_neighbors(const vocabulary& v, const std::vector<annulus::id_type>& ids, const method& m) {
  const auto found = without_self(m.search(vectors_of(v, ids), 8 + 1), ids);
  std::printf("Nearest words (%s)\n", m.name);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    std::printf("  %-12s", v.words[ids[i]].c_str());
    for (const auto id : found.ids.row(i))
      if (id != annulus::no_id) std::printf(" %s", v.words[id].c_str());
    std::printf("\n");
  }
}

// By number, as distances to codes are estimates.
double share_found(const annulus::neighbors& found, const annulus::neighbors& truth) {
  std::size_t hits = 0;
  for (std::size_t i = 0; i < truth.ids.rows(); ++i)
    for (const auto id : found.ids.row(i)) hits += std::ranges::count(truth.ids.row(i), id) > 0;
  return static_cast<double>(hits) / static_cast<double>(truth.ids.rows() * truth.ids.cols());
}

// The first method is exact: the others are measured against it.
void print_comparison(const vocabulary& v, const std::vector<method>& methods) {
  std::vector<annulus::id_type> ids;
  for (std::size_t i = 0; i < 1000; ++i) ids.push_back(static_cast<annulus::id_type>(i * v.words.size() / 1000));
  const auto queries = vectors_of(v, ids);
  annulus::neighbors truth;

  std::printf("\n%-26s | bytes a vector | recall@10 | microseconds a query\n", "1,000 words in one batch");
  for (const auto& m : methods) {
    const auto start = std::chrono::steady_clock::now();
    const auto found = without_self(m.search(queries, 10 + 1), ids);
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
    if (truth.ids.rows() == 0) truth = found;
    std::printf("%-26s | %14zu | %9.3f | %20.1f\n", m.name, m.bytes, share_found(found, truth),
                time.count() / static_cast<double>(ids.size()));
  }
}

int run(std::vector<std::string> arguments) {
  std::filesystem::path folder = ANNULUS_DEMO_DATA_DIR;
  if (arguments.size() >= 2 && arguments[0] == "--data") {
    folder = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  const vocabulary v = load(folder);

  std::vector<annulus::id_type> ids;
  for (const char* word : {"king", "river", "mountain", "music", "guitar", "bread", "red", "monday", "physics",
                           "encryption", "kernel", "database"})
    if (const auto known = v.id_of.find(word); known != v.id_of.end()) ids.push_back(known->second);
  std::size_t n_unknown = 0;
  for (const auto& word : arguments) {
    if (const auto known = v.id_of.find(word); known != v.id_of.end()) {
      ids.push_back(known->second);
    } else {
      std::cerr << "not among the words: " << word << '\n';
      ++n_unknown;
    }
  }
  if (!arguments.empty() && n_unknown == arguments.size()) return 1;

  const auto start = std::chrono::steady_clock::now();
  const annulus::nndescent_index graph(v.vectors, annulus::cosine{}, {.threads = 1}, annulus::sq8{});
  const std::chrono::duration<double> build_time = std::chrono::steady_clock::now() - start;
  const annulus::tuned_search tuned = graph.tune(0.95, {.n_queries = 300, .k = 10, .threads = 1});
  std::cout << "graph: a beam of " << tuned.params.beam << " finds " << tuned.recall << " of the neighbours of its rows"
            << (tuned.reached ? "" : ", less than .95") << "\n\n";

  const annulus::lsh_params tables{.n_projections = 12, .n_tables = 30, .threads = 1};
  const annulus::lsh_index srp(v.vectors, annulus::sign_random_projection{}, tables);
  const annulus::lsh_index polytopes(v.vectors, annulus::cross_polytope{}, tables);

  constexpr auto metric = annulus::pq_metric::cosine;
  annulus::product_quantizer pq(20, 256, metric);
  annulus::optimized_product_quantizer opq(20, 256, metric), opq4(50, 16, metric);
  pq.fit(v.vectors, {.threads = 1});
  opq.fit(v.vectors, {.rotation_iter = 5, .threads = 1});
  opq4.fit(v.vectors, {.rotation_iter = 5, .threads = 1});
  const annulus::fast_scan_index nibbles(opq4, v.vectors);
  const auto pq_codes = pq.encode(v.vectors), opq_codes = opq.encode(v.vectors);
  const std::size_t row_bytes = v.vectors.cols() * sizeof(float);

  // One thread, so that the times of the methods compare.
  const std::vector<method> methods{
      {"knn, exact", row_bytes,
       [&](const auto& queries, std::size_t k) {
         return annulus::knn(v.vectors, queries, k, annulus::cosine{}, {.threads = 1});
       }},
      {"knn, recall_target = 0.95", row_bytes,
       [&](const auto& queries, std::size_t k) {
         return annulus::knn(v.vectors, queries, k, annulus::cosine{}, {.recall_target = 0.95, .threads = 1});
       }},
      {"nndescent, tuned to 0.95", v.vectors.cols(),
       [&](const auto& queries, std::size_t k) {
         return graph.search(queries, k, {.beam = tuned.params.beam, .threads = 1});
       }},
      {"SRP, recall_target = 0.95", row_bytes,
       [&](const auto& queries, std::size_t k) {
         return srp.search(queries, k, {.recall_target = 0.95, .threads = 1});
       }},
      {"cross-polytope, 0.95", row_bytes,
       [&](const auto& queries, std::size_t k) {
         return polytopes.search(queries, k, {.recall_target = 0.95, .threads = 1});
       }},
      {"PQ", pq.m(),
       [&](const auto& queries, std::size_t k) { return pq.search(pq_codes, queries, k, {.threads = 1}); }},
      {"OPQ", opq.m(),
       [&](const auto& queries, std::size_t k) { return opq.search(opq_codes, queries, k, {.threads = 1}); }},
      {"OPQ, fast scan", nibbles.memory_bytes() / nibbles.size(),
       [&](const auto& queries, std::size_t k) { return nibbles.search(queries, k, {.threads = 1}); }},
      {"OPQ, fast scan, re-ranked", nibbles.memory_bytes() / nibbles.size() + row_bytes,
       [&](const auto& queries, std::size_t k) { return nibbles.search(queries, k, v.vectors, {.threads = 1}); }},
  };
  for (const auto& m : methods) print_neighbors(v, ids, m);
  print_comparison(v, methods);
  std::printf("\nThe graph of nndescent was built in %.2f s.\n", build_time.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) try { return run({argv + 1, argv + argc}); } catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
