// Builds one index whole and in pieces, and says what each takes: time, memory at most, recall at equal beams.
//
//   build_in_pieces rows FILE N            makes N rows of 128 bytes near a curved surface of 16 dimensions
//   build_in_pieces whole FILE             builds the index of these rows in memory
//   build_in_pieces pieces FILE MEGABYTES  builds it in pieces, and lets the process have so much memory and no more
//   build_in_pieces resume FILE MEGABYTES  goes on with a build in pieces that was killed
//   build_in_pieces killed FILE MEGABYTES  builds it again, killed up to ten times, at random moments of `seconds` in
//                                          all, and compares the file with that of the build before
//
// Options behind these: threads=2, seed=42, pieces=0 (as few as the memory allows), limit=0 (no limit of the process),
// seconds=60. Memory is the greatest RssAnon of /proc/self/status, looked at every 20 ms;
// the limit is RLIMIT_DATA, which counts all memory that a process may write to, touched or not.

#include <annulus/disk/build_in_pieces.hpp>
#include <annulus/knn/knn.hpp>

#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <random>
#include <thread>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace {

using rows_type = annulus::matrix<std::uint8_t>;
using metric_type = annulus::sqeuclidean;
using index_type = annulus::nndescent_index<rows_type, metric_type, annulus::rabitq<annulus::sq8>>;

constexpr std::size_t d = 128, latent = 16, n_queries = 1000, k = 10;

void make_rows(std::size_t first, std::size_t count, std::uint64_t stream, std::uint8_t* out) {
  const annulus::counter_random direction(1, 0), place(2, stream);
  std::vector<float> shape(d * (latent + 1));
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] = static_cast<float>(direction.normal(i));
  annulus::parallel_for(2, count, 1024, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      float x[latent];
      for (std::size_t j = 0; j < latent; ++j) x[j] = static_cast<float>(place.normal((first + i) * latent + j));
      for (std::size_t c = 0; c < d; ++c) {
        float angle = shape[c * (latent + 1) + latent];
        for (std::size_t j = 0; j < latent; ++j) angle += 0.4f * shape[c * (latent + 1) + j] * x[j];
        out[i * d + c] = static_cast<std::uint8_t>(std::lround(127.5f + 127.4f * std::sin(angle)));
      }
    }
  });
}

void write_rows(const std::string& path, std::size_t n) {
  std::ofstream file(path, std::ios::binary);
  std::vector<std::uint8_t> block(100'000 * d);
  for (std::size_t first = 0; first < n; first += 100'000) {
    const std::size_t count = std::min<std::size_t>(100'000, n - first);
    make_rows(first, count, 0, block.data());
    file.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(count * d));
  }
}

/// The number of a line of /proc/self/status, in MB.
double status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ':')) return std::stod(line.substr(name.size() + 1)) / 1024;
  return 0;
}

/// Looks at the memory of the process as long as it lives.
class memory_watch {
 public:
  memory_watch()
      : m_thread([this] {
          while (!m_is_over) {
            m_rss = std::max(m_rss.load(), status("RssAnon"));
            m_data = std::max(m_data.load(), status("VmData"));
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  ~memory_watch() {
    m_is_over = true;
    m_thread.join();
  }
  double rss() const { return m_rss; }
  double data() const { return m_data; }

 private:
  std::atomic<bool> m_is_over{false};
  std::atomic<double> m_rss{0}, m_data{0};
  std::thread m_thread;
};

void judge(const index_type& index, annulus::matrix_view<std::uint8_t> rows) {
  rows_type queries(n_queries, d);
  make_rows(0, n_queries, 1, queries.data());
  const auto exact = annulus::knn(rows, queries, k, metric_type{});
  for (const std::size_t beam : {16u, 32u, 64u, 128u}) {
    annulus::nndescent_search_stats stats;
    const auto found = index.search(queries, k, {.beam = beam, .threads = 1}, &stats);
    std::cout << "beam " << beam << ": recall " << annulus::recall(found, exact, k) << ", distances " << stats.distances
              << std::endl;
  }
}

/// This program with other words, in a process of its own.
pid_t start_program(std::vector<std::string> words) {
  words.insert(words.begin(), "/proc/self/exe");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t process = fork();
  if (process == 0) {
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  return process;
}

/// Whether a build that is killed again and again ends with the file of the build before it.
int kill_and_compare(std::vector<std::string> words, double seconds) {
  constexpr std::size_t n_kills = 10;
  const std::string path = words[1] + ".index", before = words[1] + ".before";
  std::filesystem::rename(path, before);
  words[0] = "resume";
  const annulus::counter_random random(static_cast<std::uint64_t>(std::random_device()()));
  for (std::size_t i = 0; i < n_kills && !std::filesystem::exists(path); ++i) {
    const double moment = random.uniform(i) * 2 * seconds / n_kills;
    const pid_t process = start_program(words);
    std::this_thread::sleep_for(std::chrono::duration<double>(moment));
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
    if (std::filesystem::exists(path)) std::cout << "complete before it was to be killed again" << std::endl;
    else std::cout << "killed after " << moment << " s" << std::endl;
  }
  if (!std::filesystem::exists(path)) waitpid(start_program(words), nullptr, 0);
  const annulus::detail::mapped_file a(path), b(before);
  const bool are_equal = std::ranges::equal(a.bytes(), b.bytes());
  std::cout << (are_equal ? "the same file" : "ANOTHER FILE") << std::endl;
  return are_equal ? 0 : 1;
}

int run(std::span<const std::string> words) {
  const auto option = [&](const std::string& name, std::size_t value) {
    for (const std::string& word : words)
      if (word.starts_with(name + '=')) return static_cast<std::size_t>(std::stoull(word.substr(name.size() + 1)));
    return value;
  };
  const std::string &what = words[0], &path = words[1];
  if (what == "rows") {
    write_rows(path, std::stoull(words[2]));
    return 0;
  }
  if (what == "killed")
    return kill_and_compare({words.begin(), words.end()}, static_cast<double>(option("seconds", 60)));
  annulus::nndescent_params params{.seed = option("seed", 42), .threads = option("threads", 2)};
  const annulus::detail::mapped_file file(path, annulus::detail::file_mapping::read_only);
  const annulus::matrix_view<std::uint8_t> rows(reinterpret_cast<const std::uint8_t*>(file.bytes().data()),
                                                file.bytes().size() / d, d);
  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(clock::now() - start).count(); };
  std::optional<memory_watch> watch(std::in_place);
  const auto tell = [&] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::cout << what << ": " << rows.rows() << " rows, " << seconds() << " s, CPU "
              << static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) << " s, RssAnon " << watch->rss()
              << " MB, VmData " << watch->data() << " MB, VmHWM " << status("VmHWM") << " MB" << std::endl;
    watch.reset();
  };
  if (what == "whole") {
    const index_type index(rows, {}, params);
    const double built = seconds();
    annulus::save(index, path + ".whole");
    std::cout << "built in " << built << " s" << std::endl;
    tell();
    judge(index, rows);
    return 0;
  }
  const std::size_t bytes = std::stoull(words[2]) << 20;
  rlimit before{};
  getrlimit(RLIMIT_DATA, &before);
  const rlimit limit{bytes, before.rlim_max};
  if (option("limit", 1) != 0 && setrlimit(RLIMIT_DATA, &limit) != 0) return 1;
  std::string stage;
  std::uintmax_t disk_bytes = 0;
  params.progress = [&](const annulus::progress_report& report) {
    std::uintmax_t now = 0;
    std::error_code ended;  // the last report comes when the folder is gone
    for (const auto& entry : std::filesystem::directory_iterator(path + ".pieces", ended)) now += entry.file_size();
    disk_bytes = std::max(disk_bytes, now);
    if (report.stage != stage) std::cout << seconds() << " s: " << (stage = report.stage) << std::endl;
    return true;
  };
  const annulus::disk::piece_params pieces{.folder = path + ".pieces",
                                           .memory_bytes = bytes - bytes / 8,
                                           .n_pieces = option("pieces", 0),
                                           .graph = params,
                                           .restart = what == "pieces"};
  using storage_type = annulus::rabitq<annulus::sq8>;
  if (what == "pieces") {
    const auto plan = annulus::disk::plan_build<rows_type, metric_type, storage_type>(rows, pieces, true);
    std::cout << "plan: " << plan.n_pieces << " pieces of up to " << plan.piece_rows << " rows, "
              << static_cast<double>(plan.memory_bytes) / 1e6 << " MB of memory, "
              << static_cast<double>(plan.disk_bytes) / 1e6 << " MB of disk, index of "
              << static_cast<double>(plan.index_bytes) / 1e6 << " MB, " << plan.seconds << " s" << std::endl;
  }
  annulus::disk::build_in_pieces<rows_type, metric_type, storage_type>(rows, path + ".index", pieces);
  std::cout << "files of pieces took " << static_cast<double>(disk_bytes) / 1e6 << " MB at most, the index "
            << static_cast<double>(std::filesystem::file_size(path + ".index")) / 1e6 << " MB" << std::endl;
  tell();
  setrlimit(RLIMIT_DATA, &before);
  judge(annulus::map_index<index_type>(path + ".index"), rows);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) return 1;
  return run(words);
}
