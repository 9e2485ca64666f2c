#include <Eigen/Core>
#include <annulus/approx_top_k/partial_reduce.hpp>

#include "approx_top_k/operands.hpp"
#include "catch.hpp"

#include <map>

#include "precise.hpp"

using namespace annulus;
using detail::bin_table;

namespace {

/// All values of 8 and 16 bits; of larger types random ones and the extremes.
template <class T>
std::vector<T> values_to_map() {
  using limits = std::numeric_limits<T>;
  std::vector<T> values;
  if constexpr (sizeof(T) <= 2) {
    using bits = std::conditional_t<sizeof(T) == 1, std::uint8_t, std::uint16_t>;
    for (unsigned i = 0; i <= std::numeric_limits<bits>::max(); ++i)
      values.push_back(std::bit_cast<T>(static_cast<bits>(i)));
  } else {
    std::mt19937_64 generator(1);
    values = operands::random_values<T>(1000, generator);
    values.insert(values.end(), {limits::max(), limits::lowest(), limits::min(), T(0), T(1)});
    if constexpr (operands::is_real<T>) values.insert(values.end(), {limits::infinity(), -limits::infinity()});
  }
  std::erase_if(values, [](T x) { return annulus::detail::is_nan(x); });
  return values;
}

/// What each bin keeps, in the plainest way: (key, chunk) in order.
template <class Key>
struct plain_bins {
  std::size_t per_bin;
  std::map<std::size_t, std::vector<std::pair<Key, std::uint64_t>>> bins;

  void add(std::size_t bin, Key key, std::uint64_t chunk) {
    auto& kept = bins[bin];
    kept.emplace_back(key, chunk);
    std::sort(kept.begin(), kept.end());
    if (kept.size() > per_bin) kept.pop_back();
  }
};

/// How many places of the table differ from the plain bins.
template <class Key>
std::size_t differences(const bin_table<Key>& table, plain_bins<Key>& plain) {
  std::size_t count = 0;
  for (std::size_t bin = 0; bin < table.bins(); ++bin)
    for (std::size_t level = 0; level < table.per_bin(); ++level) {
      const auto& kept = plain.bins[bin];
      if (level < kept.size())
        count += table.key(level, bin) != kept[level].first || table.chunk(level, bin) != kept[level].second;
      else count += table.key(level, bin) != detail::worst_key<Key>;
    }
  return count;
}

/// Lanes of a chunk with few different keys, a tenth of them absent.
template <class Key>
std::vector<Key> random_lanes(std::size_t bins, std::mt19937_64& generator) {
  std::vector<Key> lanes(bins);
  for (Key& x : lanes)
    x = generator() % 10 == 0 ? detail::worst_key<Key> : static_cast<Key>(static_cast<int>(generator() % 20) - 10);
  return lanes;
}

/// Chunk numbers, among them those that are the bits of signalling and quiet NaN, infinities and -0 in a float.
const std::vector<std::uint64_t> odd_chunks{0,          1,          2,          0x00000080, 0x3F800000,
                                            0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FA00000, 0x7FBFFFFF,
                                            0x7FC00000, 0x7FFFFFFF, 0x80000000, 0xFF800001, 0xFFBFFFFF};

/// Folds the chunks in the order given, into a table and the plain bins.
template <bool Ordered, class Key>
void fold_all(const std::vector<std::uint64_t>& chunks, std::uint64_t seed, bin_table<Key>& table,
              plain_bins<Key>& plain) {
  for (const std::uint64_t chunk : chunks) {
    std::mt19937_64 generator(seed + chunk);
    const auto lanes = random_lanes<Key>(table.bins(), generator);
    std::copy(lanes.begin(), lanes.end(), table.lanes());
    table.template fold<Ordered>(chunk);
    for (std::size_t bin = 0; bin < table.bins(); ++bin)
      if (const Key x = lanes[table.lane(bin, chunk)]; x < detail::worst_key<Key>) plain.add(bin, x, chunk);
  }
}

template <class T, bool Largest>
void check_lane_minima() {
  using key = detail::key_t<T>;
  std::mt19937_64 generator(2);
  for (const std::size_t group : {1u, 2u, 4u, 8u, 32u})
    for (int trial = 0; trial < 20; ++trial) {
      const std::size_t lanes = 48, n = generator() % (lanes * group + 1);
      const auto values = operands::tied_values<T>(n, generator);
      std::vector<key> expected(lanes, detail::worst_key<key>), found(lanes);
      for (std::size_t i = 0; i < n; ++i) {
        const key x = detail::to_key<Largest>(values[i]);
        key& least = expected[i / (16 * group) * 16 + i % 16];
        if (detail::is_less(x, least)) least = x;
      }
      detail::lane_minima<Largest>(group, values.data(), n, lanes, found.data());
      CAPTURE(group, n);
      REQUIRE((found == expected));
    }
}

}  // namespace

#define ALL_TYPES                                                                                                   \
  float, double, Eigen::half, Eigen::bfloat16, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, \
      std::uint16_t, std::uint32_t, std::uint64_t

TEMPLATE_TEST_CASE("keys order as the values do, or for the largest the other way, and give them back",
                   "[partial_reduce]", ALL_TYPES) {
  const auto values = values_to_map<TestType>();
  std::size_t changed = 0, misordered = 0;
  for (const TestType x : values) {
    changed += detail::from_key<false, TestType>(detail::to_key<false>(x)) != x;
    changed += detail::from_key<true, TestType>(detail::to_key<true>(x)) != x;
  }
  CHECK(changed == 0);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i; j < std::min(values.size(), i + 50); ++j) {
      const TestType x = values[i], y = values[j];
      misordered += (x < y) != (detail::to_key<false>(x) < detail::to_key<false>(y));
      misordered += (x > y) != (detail::to_key<true>(x) < detail::to_key<true>(y));
    }
  CHECK(misordered == 0);
}

TEMPLATE_TEST_CASE("the minimum of each lane is that of every 16th element of its block, whatever the length",
                   "[partial_reduce]", ALL_TYPES) {
  check_lane_minima<TestType, false>();
  check_lane_minima<TestType, true>();
}

TEMPLATE_TEST_CASE("bins keep the best lanes they meet in ascending order of chunks", "[partial_reduce]", float, double,
                   std::int32_t, std::int64_t) {
  for (const std::size_t per_bin : {1u, 2u, 3u, 4u}) {
    bin_table<TestType> table;
    table.reset(48, per_bin);
    plain_bins<TestType> plain{per_bin, {}};
    fold_all<true>(odd_chunks, 1, table, plain);
    CHECK(differences(table, plain) == 0);
  }
}

TEMPLATE_TEST_CASE("bins keep the same lanes in any order of chunks, and merged from parts", "[partial_reduce]", float,
                   double, std::int32_t, std::int64_t) {
  std::mt19937_64 generator(3);
  for (const std::size_t per_bin : {1u, 2u, 3u, 4u}) {
    plain_bins<TestType> plain{per_bin, {}};
    bin_table<TestType> table, part;
    table.reset(48, per_bin);
    part.reset(48, per_bin);
    auto chunks = odd_chunks;
    std::shuffle(chunks.begin(), chunks.end(), generator);
    fold_all<false>({chunks.begin(), chunks.begin() + 8}, 1, table, plain);
    fold_all<false>({chunks.begin() + 8, chunks.end()}, 1, part, plain);
    table.merge(part);
    CHECK(differences(table, plain) == 0);
  }
}

TEST_CASE("NaN enters no bin", "[partial_reduce]") {
  bin_table<float> table;
  table.reset(16, 1);
  const std::vector<float> values(16, std::numeric_limits<float>::quiet_NaN());
  detail::lane_minima<false>(1, values.data(), 16, 16, table.lanes());
  table.fold<true>(0);
  CHECK(std::ranges::count(table.keys(), detail::worst_key<float>) == 16);
}

TEST_CASE("each chunk deals its lanes out to all bins, another lane first", "[partial_reduce]") {
  bin_table<float> table;
  table.reset(64, 1);
  std::vector<std::size_t> starts(64);
  for (std::uint64_t chunk = 0; chunk < 1000; ++chunk) {
    ++starts[table.lane(0, chunk)];
    std::vector<bool> seen(64);
    for (std::size_t bin = 0; bin < 64; ++bin) seen.at(table.lane(bin, chunk)) = true;
    REQUIRE(std::ranges::count(seen, true) == 64);
  }
  CHECK(*std::min_element(starts.begin(), starts.end()) > 0);
}
