#include "io/index_nndescent.hpp"
#include "message_of.hpp"

// Rows of bytes and of bits; other rows are in ../nightly/nndescent_types.cpp and in ../nndescent.cpp.

using namespace annulus;
using indexes::rows_between;

namespace {

constexpr std::size_t n = 150, d = 9;
const nndescent_params params{.n_neighbors = 6, .alpha = 1.2};

template <class T>
const matrix<T>& bytes() {
  static const auto made = graphs::clusters<T>(n + 20, d, 10, d);
  return made;
}

/// Clusters again: of bits, some one in eight of which differ.
const matrix<std::uint8_t>& bits() {
  static const auto made = [] {
    const counter_random random(4);
    matrix<std::uint8_t> all(n + 20, d);
    for (std::size_t i = 0; i < all.rows(); ++i)
      for (std::size_t j = 0; j < d; ++j) {
        const auto draw = [&](std::size_t at) { return random.below(at, 256); };
        const std::size_t own = 1000 + 3 * (i * d + j);
        all(i, j) = static_cast<std::uint8_t>(draw(i % 10 * d + j) ^ (draw(own) & draw(own + 1) & draw(own + 2)));
      }
    return all;
  }();
  return made;
}

template <class Index>
Index built(const typename Index::view_type& all) {
  return Index(typename Index::view_type(all.data(), n, d), {}, params);
}
template <class Index, class T>
bool returns(const matrix<T>& all) {
  const auto index = built<Index>(all);
  const float radius = index.graph().distances(0, 3);
  const auto ball = index.radius_search(rows_between(all, 0, 1), radius);
  CHECK(ball.indices.size() >= 4);
  CHECK(ball.indices.size() < n);
  return saved::returns(index, rows_between(all, n, n + 20), rows_between(all, n + 3, n + 4), radius, true);
}

using unsigned_index = nndescent_index<matrix<std::uint8_t>>;
using signed_index = nndescent_index<matrix<std::int8_t>, sqeuclidean>;
using bit_index = nndescent_index<matrix<std::uint8_t>, bit_hamming>;

}  // namespace

TEST_CASE("an index of unsigned bytes comes back and changes as the saved one", "[index_file]") {
  CHECK(returns<unsigned_index>(bytes<std::uint8_t>()));
}

TEST_CASE("an index of signed bytes comes back and changes as the saved one", "[index_file]") {
  CHECK(returns<signed_index>(bytes<std::int8_t>()));
}

TEST_CASE("an index of bits comes back and changes as the saved one", "[index_file]") {
  CHECK(returns<bit_index>(bits()));
}

TEST_CASE("bytes in the file of an index are what they are and refused by name as others", "[index_file]") {
  const scratch_folder folder;
  save(built<unsigned_index>(bytes<std::uint8_t>()), folder / "index");
  const auto info = read_index_info(folder / "index");
  CHECK(info.metadata.at("points") == "rows of uint8");
  CHECK(info.tensors.at("rows.values").dtype == "U8");
  const auto refused = [&]<class Wanted>(std::type_identity<Wanted>, const std::string& reason) {
    const std::string said = message_of<format_error>([&] { load_index<Wanted>(folder / "index"); });
    return said.find(reason) != std::string::npos;
  };
  CHECK(refused(std::type_identity<signed_index>{}, "points is rows of uint8, not the rows of int8 asked for"));
  CHECK(refused(std::type_identity<bit_index>{}, "metric is euclidean, not the bit_hamming asked for"));
  save(built<signed_index>(bytes<std::int8_t>()), folder / "index");
  CHECK(read_index_info(folder / "index").tensors.at("rows.values").dtype == "I8");
  CHECK(refused(std::type_identity<unsigned_index>{}, "points is rows of int8, not the rows of uint8 asked for"));
}
