// Serves queries from several threads while another takes rows in and out: searches share the index, a change has it to
// itself.

#include <annulus/nndescent/index.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

int main() {
  constexpr std::size_t n = 2000, d = 16, k = 5, n_batches = 10, batch = 50, n_servers = 3, round = 100;
  const annulus::counter_random random(3);
  annulus::matrix<float> rows(n + n_batches * batch, d);
  for (std::size_t i = 0; i < rows.rows() * d; ++i) rows.data()[i] = static_cast<float>(random.normal(i));
  const annulus::matrix_view<float> view(rows);

  annulus::nndescent_index index(view.middle_rows(0, n));
  std::shared_mutex access;
  std::mutex turn;  // for readers and writer alike: a shared_mutex alone may let readers pass a writer for ever
  std::atomic<std::size_t> n_served = 0, n_wrong = 0, n_changes = 0;

  // A scratch is made of the index, so before anybody changes it.
  const auto serve = [&](std::size_t server, auto scratch) {
    std::array<annulus::id_type, k> ids;
    std::array<float, k> distances;
    // Rows of the first thousand stay, so that each should find itself.
    for (std::size_t query = 0; query < (n_batches + 1) * round; ++query) {
      // However busy the machine is: a round before each change at least, and none more than one ahead of it.
      for (std::size_t seen = n_changes; seen + 1 < query / round; seen = n_changes) n_changes.wait(seen);
      const std::size_t i = (server + 7 * query) % 1000;
      std::unique_lock waiting(turn);
      const std::shared_lock reading(access);
      waiting.unlock();
      index.search(rows.row(i), ids, distances, scratch);
      n_wrong += ids[0] != i;
      ++n_served;
      n_served.notify_one();
    }
  };

  {
    std::vector<std::jthread> servers;
    for (std::size_t server = 0; server < n_servers; ++server)
      servers.emplace_back(serve, server, index.make_scratch());
    for (std::size_t b = 0; b < n_batches; ++b) {
      for (std::size_t seen = n_served; seen < (b + 1) * n_servers * round; seen = n_served) n_served.wait(seen);
      const std::scoped_lock waiting(turn);
      const std::scoped_lock writing(access);
      const annulus::id_type first = index.insert(view.middle_rows(n + b * batch, batch));
      for (std::size_t i = 0; i < batch; ++i) index.erase(static_cast<annulus::id_type>(1000 + b * batch + i));
      std::printf("rows from %u on inserted, as many erased: %zu rows, %zu queries served\n", first, index.size(),
                  n_served.load());
      ++n_changes;
      n_changes.notify_all();
    }
  }
  std::printf("%zu queries served, of which %zu did not find the row that they ask for\n", n_served.load(),
              n_wrong.load());
  return n_wrong * 50 <= n_served ? 0 : 1;
}
