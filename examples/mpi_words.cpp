// The nearest words of words, by the cosine of 20,000 word vectors that the processes of an MPI program share:
//   mpirun -n 4 mpi_words [--data FOLDER] [WORD...]

#include <annulus/io/data/vecs.hpp>
#include <annulus/mpi/sharded_index.hpp>
#include <annulus/nndescent/index.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>

#ifndef ANNULUS_DEMO_DATA_DIR
#define ANNULUS_DEMO_DATA_DIR "examples/data"
#endif

int main(int argc, char** argv) {
  const annulus::mpi::environment environment(argc, argv);
  const annulus::mpi::communicator comm;
  std::filesystem::path folder = ANNULUS_DEMO_DATA_DIR;
  std::vector<std::string> asked{"king", "water", "physics", "paris"};
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() >= 2 && arguments[0] == "--data") {
    folder = arguments[1];
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (!arguments.empty()) asked = arguments;

  // Each process takes its part of the rows. It reads all of this small file; of a large one it would read its part.
  const auto vectors = annulus::read_vecs<float>(folder / "words-20k.fvecs");
  const std::size_t rank = static_cast<std::size_t>(comm.rank()), ranks = static_cast<std::size_t>(comm.size());
  const std::size_t begin = vectors.rows() * rank / ranks, end = vectors.rows() * (rank + 1) / ranks;
  annulus::mpi::sharded_index index(comm.get(), [&] {
    return annulus::nndescent_index(annulus::matrix_view<float>(vectors).middle_rows(begin, end - begin),
                                    annulus::cosine{}, {.threads = 1});
  });

  // The queries are those of process 0, which also gets the answer.
  std::vector<std::string> words;
  std::ifstream file(folder / "words-20k.txt");
  for (std::string word; std::getline(file, word);) words.push_back(word);
  annulus::matrix<float> queries(asked.size(), vectors.cols());
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (const auto at = std::ranges::find(words, asked[i]); at != words.end())
      std::ranges::copy(vectors.row(static_cast<std::size_t>(at - words.begin())), queries.row(i).begin());
  const auto found = index.search(queries, 8, {.threads = 1});
  if (comm.rank() != 0) return 0;
  std::printf("%zu words in %d shards\n", index.size(), comm.size());
  for (std::size_t i = 0; i < asked.size(); ++i) {
    std::printf("  %-10s", asked[i].c_str());
    for (const std::int64_t id : found.ids.row(i))
      if (id >= 0 && words[static_cast<std::size_t>(id)] != asked[i])
        std::printf(" %s", words[static_cast<std::size_t>(id)].c_str());
    std::printf("\n");
  }
}
