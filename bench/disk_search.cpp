// Searches from disk, told what to measure by lines on its standard input; an answer is a line of JSON. Run by
// compare/disk_search.py, which has a peer measured in turns, or by hand:
//
//   printf 'disk\nsearch 40\nsearch 40 threads=2\nmemory 40\n' |
//     bench_disk_search base.fvecs query.fvecs folder sq8
//
// Rows are fvecs or bvecs; the index, of storage sq8 or rabitq+sq8 under euclidean, is built in the folder where it is
// not there. "search BEAM" takes threads=, in_flight=, cache= (bytes), direct=, io_uring=, estimates=; the recall is of
// the 10 nearest. "memory BEAM" searches the same index in memory. "disk" measures random reads of 4 KiB of its file.

#include <annulus/disk/disk_index.hpp>
#include <annulus/io/data/vecs.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/nndescent/rabitq.hpp>

#include <chrono>
#include <iostream>

namespace {

using annulus::matrix;

constexpr std::size_t k = 10;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// What of this process's memory is in no file, in bytes.
double anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return 1024 * std::stod(line.substr(8));
  return 0;
}

/// The value of name= in a command.
double value_of(const std::string& command, const std::string& name, double otherwise) {
  const auto at = command.find(' ' + name + '=');
  return at == command.npos ? otherwise : std::stod(command.substr(at + name.size() + 2));
}

struct record {
  void add(const std::string& name, double value) {
    std::cout << (is_first ? "{" : ", ") << '"' << name << "\": " << value;
    is_first = false;
  }
  ~record() { std::cout << "}" << std::endl; }
  bool is_first = true;
};

/// Random reads a second, as many at a time as each depth says.
void measure_disk(const std::filesystem::path& path) {
  constexpr std::size_t page = 4096;
  const std::uint64_t pages = std::filesystem::file_size(path) / page;
  const annulus::row_places places{0, page, page, pages};
  const auto file = std::make_shared<const annulus::detail::row_file>(path, places, true);
  annulus::detail::row_reader reader(file, {});
  record out;
  out.add("direct", file->is_direct());
  out.add("io_uring", reader.uses_io_uring());
  std::uint64_t draw = 0;
  for (const std::size_t depth : {1u, 8u, 16u, 32u}) {
    std::vector<std::uint64_t> rows(depth);
    const double start = now(), before = static_cast<double>(reader.n_reads());
    while (now() < start + 1) {
      for (std::uint64_t& row : rows) row = annulus::counter_random(1).below(draw++, pages);
      reader.start(rows);
      reader.wait();
    }
    out.add("reads_a_second_" + std::to_string(depth),
            (static_cast<double>(reader.n_reads()) - before) / (now() - start));
  }
}

template <class T, class Storage>
class bench {
  using in_memory = annulus::nndescent_index<matrix<T>, annulus::euclidean, Storage>;
  using on_disk = annulus::disk_index<matrix<T>, annulus::euclidean, Storage>;

 public:
  bench(const std::filesystem::path& base, const std::filesystem::path& queries, const std::filesystem::path& folder)
      : m_file(folder / ("annulus-" + std::string(Storage::name) + ".index")),
        m_queries(annulus::read_vecs<T>(queries)) {
    const auto rows = annulus::map_vecs<T>(base);
    m_truth = annulus::knn(rows, m_queries, k, annulus::euclidean{});
    if (!std::filesystem::exists(m_file)) save(in_memory(rows, {}), m_file);
  }

  void run(const std::string& command) {
    if (command.starts_with("disk")) return measure_disk(m_file);
    const annulus::nndescent_search_params params{
        .beam = static_cast<std::size_t>(std::stod(command.substr(command.find(' ')))),
        .threads = static_cast<std::size_t>(value_of(command, "threads", 1)),
        .by_estimates = value_of(command, "estimates", 0) != 0};
    if (command.starts_with("memory")) return search_in_memory(params);
    const annulus::disk_index_params opened{
        .reads = {.direct = value_of(command, "direct", 1) != 0, .io_uring = value_of(command, "io_uring", 1) != 0},
        .cache_bytes = static_cast<std::size_t>(value_of(command, "cache", 0)),
        .queries_in_flight = static_cast<std::size_t>(value_of(command, "in_flight", 3))};
    const double before = anonymous_bytes();
    const on_disk index(m_file, opened);
    record out;
    out.add("anonymous_bytes", anonymous_bytes() - before);
    out.add("memory_bytes", static_cast<double>(index.memory_bytes()));
    annulus::disk_search_stats stats;
    measure(out, [&] { return index.search(m_queries, k, params, &stats); });
    out.add("reads", stats.reads);
    out.add("bytes", stats.bytes);
    out.add("cached", stats.cached);
    out.add("hops", stats.hops);
    auto scratch = index.make_scratch();
    std::array<annulus::id_type, k> ids;
    std::array<float, k> distances;
    std::vector<double> times;
    for (std::size_t i = 0; i < m_queries.rows(); ++i) {
      const double start = now();
      index.search(m_queries.row(i), ids, distances, scratch, params);
      times.push_back(1e6 * (now() - start));
    }
    std::ranges::sort(times);
    out.add("us_median", times[times.size() / 2]);
    out.add("us_99", times[times.size() * 99 / 100]);
  }

 private:
  void search_in_memory(const annulus::nndescent_search_params& params) const {
    const double before = anonymous_bytes();
    const auto index = annulus::load_index<in_memory>(m_file);
    record out;
    out.add("anonymous_bytes", anonymous_bytes() - before);
    out.add("memory_bytes", static_cast<double>(index.memory_bytes()));
    measure(out, [&] { return index.search(m_queries, k, params); });
  }
  /// Queries a second, for as long as half a second takes.
  template <class Search>
  void measure(record& out, Search search) const {
    annulus::neighbors found = search();
    std::size_t rounds = 0;
    const double start = now();
    for (; rounds == 0 || now() < start + 0.5; ++rounds) found = search();
    out.add("queries_a_second", static_cast<double>(rounds * m_queries.rows()) / (now() - start));
    out.add("recall", annulus::recall(found, m_truth, k));
  }

  std::filesystem::path m_file;
  matrix<T> m_queries;
  annulus::neighbors m_truth;
};

template <class T, class Storage>
void run(char** arguments) {
  bench<T, Storage> b(arguments[1], arguments[2], arguments[3]);
  std::cout << "{\"ready\": true}" << std::endl;
  for (std::string command; std::getline(std::cin, command);) b.run(command);
}

}  // namespace

int main(int n_arguments, char** arguments) {
  if (n_arguments < 5) {
    std::cerr << "usage: bench_disk_search base.fvecs|base.bvecs queries folder sq8|rabitq+sq8\n";
    return 2;
  }
  const bool are_bytes = std::string_view(arguments[1]).ends_with(".bvecs");
  const bool are_coded = std::string_view(arguments[4]) == annulus::rabitq<annulus::sq8>::name;
  try {
    if (are_bytes && are_coded) run<std::uint8_t, annulus::rabitq<annulus::sq8>>(arguments);
    else if (are_bytes) run<std::uint8_t, annulus::sq8>(arguments);
    else if (are_coded) run<float, annulus::rabitq<annulus::sq8>>(arguments);
    else run<float, annulus::sq8>(arguments);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
