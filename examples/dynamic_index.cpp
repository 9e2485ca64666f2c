// An index whose kind, metric and storage are named at run time: by the arguments, here. Needs the library
// annulus::dynamic; see docs/dynamic.md.
//
//   example_dynamic_index nndescent cosine sq8

#include <annulus/dynamic/dynamic_index.hpp>
#include <cstdio>

int main(int argc, char** argv) {
  const std::size_t n = 2000, d = 16;
  annulus::matrix<float> data(n, d);
  for (std::size_t i = 0; i < n * d; ++i) data.data()[i] = static_cast<float>(i * i % 977) - 488;

  annulus::index_spec spec;
  if (argc > 1) spec.kind = argv[1];
  if (argc > 2) spec.metric = argv[2];
  if (argc > 3) spec.storage = argv[3];
  try {
    annulus::dynamic_index::build(data, spec).save("dynamic.index");
    const annulus::dynamic_index index = annulus::dynamic_index::map("dynamic.index");
    const annulus::neighbors found = index.search(data.row(7), 5);
    std::printf("%s by %s, for %s\n", index.info("kind").data(), index.info("metric").data(),
                annulus_instruction_set());
    for (std::size_t j = 0; j < 5; ++j) std::printf("%u at %.3f\n", found.ids(0, j), found.distances(0, j));
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());  // a misspelt name is answered by the one that was meant
    return 1;
  }
}
