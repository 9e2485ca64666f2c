#include <annulus/core/metric/set_metrics.hpp>
#include <annulus/io/data/ann_benchmarks_hdf5.hpp>
#include <annulus/knn/knn.hpp>
#include <annulus/knn/sparse_knn.hpp>

#include "catch.hpp"
#include "io/foreign_files.hpp"

#include <functional>
#include <numeric>

using annulus::ann_benchmarks;
using annulus::matrix;
using annulus::read_ann_benchmarks;
using annulus::detail::hdf5_id;

namespace {

/// A data set and how it is stored.
struct data_set {
  std::vector<hsize_t> shape;
  std::vector<double> values = {};
  hid_t type = H5T_IEEE_F32LE;
  std::vector<hsize_t> chunk = {};
  unsigned deflate = 0;

  data_set(std::vector<hsize_t> s, double first, double step, hid_t t) : shape(std::move(s)), type(t) {
    std::size_t n = 1;
    for (const hsize_t size : shape) n *= size;
    for (std::size_t i = 0; i < n; ++i) values.push_back(first + static_cast<double>(i) * step);
  }
};

/// What a file of ann-benchmarks holds, to be changed before it is written.
struct contents {
  data_set train{{7, 3}, 0.5, 1, H5T_IEEE_F32LE}, test{{2, 3}, 100, 0.25, H5T_IEEE_F32LE};
  data_set neighbors{{2, 3}, 0, 1, H5T_STD_I32LE}, distances{{2, 3}, 1, 0.5, H5T_IEEE_F32LE};
  std::string distance = "euclidean";
  bool is_of_fixed_length = false;
};

void write_data_set(hid_t file, const std::string& name, const data_set& data) {
  const hdf5_id space(H5Screate_simple(static_cast<int>(data.shape.size()), data.shape.data(), nullptr), H5Sclose);
  const hdf5_id layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  if (!data.chunk.empty()) H5Pset_chunk(layout, static_cast<int>(data.chunk.size()), data.chunk.data());
  if (data.deflate > 0) H5Pset_deflate(layout, data.deflate);
  const hdf5_id id(H5Dcreate2(file, name.c_str(), data.type, space, H5P_DEFAULT, layout, H5P_DEFAULT), H5Dclose);
  REQUIRE(id >= 0);
  if (H5Tget_class(data.type) == H5T_STRING || data.values.empty()) return;
  REQUIRE(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.values.data()) >= 0);
}

void write_text(hid_t file, const char* name, const std::string& text, bool is_of_fixed_length) {
  const hdf5_id type(H5Tcopy(H5T_C_S1), H5Tclose), space(H5Screate(H5S_SCALAR), H5Sclose);
  H5Tset_size(type, is_of_fixed_length ? text.size() : H5T_VARIABLE);
  const hdf5_id id(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  const char* const pointer = text.c_str();
  if (is_of_fixed_length) REQUIRE(H5Awrite(id, type, pointer) >= 0);
  else REQUIRE(H5Awrite(id, type, &pointer) >= 0);
}

using change = std::function<void(hid_t)>;

void write(const std::filesystem::path& path, const contents& c, const change& then = {}) {
  const hdf5_id file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
  REQUIRE(file >= 0);
  if (!c.train.shape.empty()) write_data_set(file, "train", c.train);
  write_data_set(file, "test", c.test);
  write_data_set(file, "neighbors", c.neighbors);
  write_data_set(file, "distances", c.distances);
  if (!c.distance.empty()) write_text(file, "distance", c.distance, c.is_of_fixed_length);
  if (then) then(file);
}

/// What read_ann_benchmarks says to such a file: the message after the file's name.
std::string complaint(const contents& c, const change& then = {}) {
  const scratch_folder folder;
  write(folder / "whole", c, then);
  return complaint_about(bytes_of(folder / "whole"), [](const auto& path) { read_ann_benchmarks(path); });
}

ann_benchmarks written_and_read(const contents& c) {
  const scratch_folder folder;
  write(folder / "a.hdf5", c);
  return read_ann_benchmarks(folder / "a.hdf5");
}

matrix<float> floats(const data_set& data) {
  matrix<float> m(data.shape[0], data.shape[1]);
  std::ranges::transform(data.values, m.data(), [](double x) { return static_cast<float>(x); });
  return m;
}

}  // namespace

TEST_CASE("hdf5: a file of ann-benchmarks is read whole", "[hdf5]") {
  const contents c;
  const ann_benchmarks read = written_and_read(c);
  CHECK(read.train == floats(c.train));
  CHECK(read.test == floats(c.test));
  CHECK(read.distances == floats(c.distances));
  REQUIRE(read.neighbors.rows() == 2);
  REQUIRE(read.neighbors.cols() == 3);
  for (int i = 0; i < 6; ++i) CHECK(read.neighbors.data()[i] == i);
  CHECK(read.distance == "euclidean");
}

TEST_CASE("hdf5: floats and integers of any width and order become floats", "[hdf5]") {
  for (const hid_t type : {H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE, H5T_STD_U8LE, H5T_STD_I8LE, H5T_STD_I16BE,
                           H5T_STD_I32LE, H5T_STD_U64LE, H5T_STD_I64LE}) {
    contents c;
    c.train = {{7, 3}, 3, 2, type};
    c.distances.type = H5T_IEEE_F64LE;
    const ann_benchmarks read = written_and_read(c);
    REQUIRE(read.train == floats(c.train));
    REQUIRE(read.distances == floats(c.distances));
  }
}

TEST_CASE("hdf5: neighbors are integers of any width, each a row of train or -1", "[hdf5]") {
  for (const hid_t type : {H5T_STD_I8LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_I64BE}) {
    contents c;
    c.neighbors = {{2, 3}, -1, 1, type};
    const ann_benchmarks read = written_and_read(c);
    for (int i = 0; i < 6; ++i) REQUIRE(read.neighbors.data()[i] == i - 1);
    c.neighbors.values[4] = 7;
    CHECK(complaint(c) == "byte 0: data set 'neighbors' has the neighbor 7, train has 7 rows");
    c.neighbors.values[4] = -2;
    CHECK_THAT(complaint(c), ContainsSubstring("has the neighbor -2"));
  }
  contents c;
  c.neighbors.type = H5T_STD_I64LE;
  c.neighbors.values[0] = 4294967296.0 * 4294967296.0 / 4;  // 2^62, that int32 would cut to 0
  CHECK_THAT(complaint(c), ContainsSubstring("has the neighbor 4611686018427387904"));
  c.neighbors = {{2, 3}, 0.9, 0, H5T_IEEE_F32LE};
  CHECK_THAT(complaint(c), ContainsSubstring("'neighbors' has floats, which are no numbers of rows"));
}

TEST_CASE("hdf5: a window of train is the slice of it, and neighbors are still rows of the whole", "[hdf5]") {
  const scratch_folder folder;
  contents c;
  c.train = {{50, 3}, 0.5, 1, H5T_IEEE_F32LE};
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {7, 2}, {50, 3}, {1, 3}}) {
    c.train.chunk = chunk;
    write(folder / "a", c);
    const auto whole = floats(c.train);
    for (const std::size_t first : {0u, 1u, 7u, 13u, 49u, 50u})
      for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{20}, annulus::all_rows}) {
        const auto read = read_ann_benchmarks(folder / "a", first, count);
        REQUIRE(read.train.rows() == std::min(count, 50 - first));
        REQUIRE(read.train.cols() == 3);
        for (std::size_t i = 0; i < read.train.rows(); ++i)
          REQUIRE(std::ranges::equal(read.train.row(i), whole.row(first + i)));
        REQUIRE(read.neighbors(1, 2) == 5);
      }
    CHECK_THROWS_AS(read_ann_benchmarks(folder / "a", 51), std::invalid_argument);
  }
}

TEST_CASE("hdf5: compressed chunks are read piece by piece, with progress, from any row on", "[hdf5]") {
  const scratch_folder folder;
  contents c;
  const std::size_t rows = 3000, d = 1000;
  c.train = {{rows, d}, 0, 1, H5T_IEEE_F32LE};
  for (double& value : c.train.values) value = std::fmod(value, 1009);
  c.test = {{2, d}, 0, 1, H5T_IEEE_F32LE};
  c.train.chunk = {700, 300};
  c.train.deflate = 1;
  write(folder / "a", c);
  REQUIRE(std::filesystem::file_size(folder / "a") < rows * d);
  std::vector<double> fractions;
  const auto progress = [&](const annulus::progress_report& report) {
    const std::string_view stage = report.stage;
    const double fraction = report.fraction;
    CHECK(stage == "read ann-benchmarks");
    fractions.push_back(fraction);
    return true;
  };
  const std::size_t first = 650;
  const auto read = read_ann_benchmarks(folder / "a", first, annulus::all_rows, {.progress = progress});
  REQUIRE(read.train.rows() == rows - first);
  const auto whole = floats(c.train);
  CHECK(std::ranges::equal(std::span(read.train.data(), (rows - first) * d),
                           std::span(whole.data() + first * d, (rows - first) * d)));
  CHECK(fractions.size() >= 2);
  CHECK(std::ranges::is_sorted(fractions));
  CHECK(fractions.back() == 1);
  int calls = 0;
  const auto cancel = [&](const annulus::progress_report&) { return ++calls < 2; };
  CHECK_THROWS_AS(read_ann_benchmarks(folder / "a", 0, annulus::all_rows, {.progress = cancel}), annulus::cancelled);
  CHECK(calls == 2);
}

TEST_CASE("hdf5: the distance is a string of fixed or variable length", "[hdf5]") {
  contents c;
  c.is_of_fixed_length = true;
  for (const std::string text : {"angular", "x"}) {
    c.distance = text;
    CHECK(written_and_read(c).distance == text);
  }
  c.distance = "hamming  ";  // as Fortran pads
  CHECK(written_and_read(c).distance == "hamming");
  c.distance = std::string(300, 'x');
  CHECK_THAT(complaint(c), ContainsSubstring("attribute 'distance' is longer than 256 bytes"));
  c.is_of_fixed_length = false;
  CHECK(written_and_read(c).distance == c.distance);
}

TEST_CASE("hdf5: what is missing is named", "[hdf5]") {
  for (const char* const name : {"train", "test", "neighbors", "distances"})
    CHECK_THAT(complaint({}, [&](hid_t file) { H5Ldelete(file, name, H5P_DEFAULT); }),
               ContainsSubstring(std::string("byte 0: there is no data set '") + name + "'"));
  contents c;
  c.distance.clear();
  CHECK_THAT(complaint(c), ContainsSubstring("attribute 'distance' cannot be opened"));
  CHECK_THAT(complaint(c,
                       [](hid_t file) {
                         const hdf5_id space(H5Screate(H5S_SCALAR), H5Sclose);
                         const hdf5_id id(H5Acreate2(file, "distance", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT),
                                          H5Aclose);
                       }),
             ContainsSubstring("attribute 'distance' is not a string"));
}

TEST_CASE("hdf5: shapes that do not fit together are refused", "[hdf5]") {
  const auto with = [](data_set contents::*which, std::vector<hsize_t> shape) {
    contents c;
    c.*which = {std::move(shape), 0, 0, (c.*which).type};
    return complaint(c);
  };
  CHECK(with(&contents::test, {2, 4}) == "byte 0: data set 'test' has 4 columns, train 3");
  CHECK(with(&contents::test, {3, 3}) == "byte 0: data set 'neighbors' has 2 rows, test 3");
  CHECK(with(&contents::distances, {2, 2}) == "byte 0: data set 'distances' has 2 x 2 values, neighbors 2 x 3");
  CHECK(with(&contents::distances, {3, 3}) == "byte 0: data set 'distances' has 3 x 3 values, neighbors 2 x 3");
  CHECK_THAT(with(&contents::train, {21}),
             ContainsSubstring("data set 'train' has 1 dimensions, not 2: read_ann_benchmarks_sets reads sets"));
  CHECK_THAT(with(&contents::neighbors, {2, 3, 1}), ContainsSubstring("data set 'neighbors' has 3 dimensions"));
}

TEST_CASE("hdf5: a data set that is no numbers, a group, or elsewhere is refused", "[hdf5]") {
  contents c;
  c.train.type = H5T_C_S1;
  CHECK_THAT(complaint(c),
             ContainsSubstring("data set 'train' has values that are neither floats nor integers nor bools"));
  c.train.shape.clear();
  CHECK_THAT(
      complaint(c, [](hid_t file) { H5Gclose(H5Gcreate2(file, "train", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }),
      ContainsSubstring("data set 'train' cannot be opened"));
  CHECK_THAT(
      complaint(c,
                [](hid_t file) { H5Lcreate_external("/tmp/other", "train", file, "train", H5P_DEFAULT, H5P_DEFAULT); }),
      ContainsSubstring("data set 'train' is a soft or external link; only hard links are read"));
  const auto stored_outside = [](hid_t file) {
    const std::array<hsize_t, 2> shape{7, 3};
    const hdf5_id space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
    const hdf5_id layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_external(layout, "/etc/passwd", 0, 84);
    H5Dclose(H5Dcreate2(file, "train", H5T_IEEE_F32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
  };
  CHECK_THAT(complaint(c, stored_outside), ContainsSubstring("data set 'train' is not stored in this file"));
}

TEST_CASE("hdf5: a data set that claims more than the file can hold is refused before memory is asked for", "[hdf5]") {
  contents c;
  c.train.shape.clear();
  const auto empty = [](std::array<hsize_t, 2> shape, std::array<hsize_t, 2> chunk) {
    return [=](hid_t file) {  // nothing is written, so nothing is stored
      const hdf5_id space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
      const hdf5_id layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
      if (chunk[0] > 0) H5Pset_chunk(layout, 2, chunk.data());
      H5Dclose(H5Dcreate2(file, "train", H5T_IEEE_F32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    };
  };
  CHECK(complaint(c, empty({1, 3}, {0, 0})) ==
        "byte 0: data set 'train' claims 1 x 3 values of 4 bytes, 0 bytes are stored");
  for (const hsize_t rows : {hsize_t{1}, hsize_t{1} << 33, hsize_t{1} << 61, hsize_t{1} << 62}) {
    CHECK_THAT(complaint(c, empty({rows, 3}, {1, 3})), ContainsSubstring("data set 'train' claims"));
    if (rows < hsize_t{1} << 60) CHECK_THAT(complaint(c, empty({rows, 3}, {0, 0})), ContainsSubstring("claims"));
  }
  // One chunk of many is written: its bytes justify as many as deflate could have made of them.
  const auto sparse = [](hsize_t rows) {
    return [=](hid_t file) {
      const std::array<hsize_t, 2> shape{rows, 3}, chunk{10, 3}, start{0, 0};
      const hdf5_id space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose);
      const hdf5_id layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose),
          memory(H5Screate_simple(2, chunk.data(), nullptr), H5Sclose);
      H5Pset_chunk(layout, 2, chunk.data());
      const hdf5_id id(H5Dcreate2(file, "train", H5T_IEEE_F32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT), H5Dclose);
      const std::vector<float> values(30);
      H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, chunk.data(), nullptr);
      REQUIRE(H5Dwrite(id, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, values.data()) >= 0);
    };
  };
  CHECK(complaint(c, sparse(10 * 1032)) == "nothing");
  CHECK_THAT(complaint(c, sparse(10 * 1032 + 1)), ContainsSubstring("120 bytes are stored"));
}

TEST_CASE("hdf5: no rows to train on are read as none", "[hdf5]") {
  contents c;
  c.train = {{0, 3}, 0, 0, H5T_IEEE_F32LE};
  c.neighbors = {{2, 3}, -1, 0, H5T_STD_I32LE};
  CHECK(written_and_read(c).train.rows() == 0);
}

TEST_CASE("hdf5: what is missing or no regular file is an error of the system, another format a malformed file",
          "[hdf5]") {
  const scratch_folder folder;
  for (const auto& path : {folder / "missing", folder / "", std::filesystem::path("/dev/zero")})
    CHECK_THROWS_AS(read_ann_benchmarks(path), std::system_error);
  write_bytes(folder / "a", "\x89HDF");
  CHECK_THROWS_WITH(read_ann_benchmarks(folder / "a"), ContainsSubstring("this is no HDF5 file that can be opened"));
  check_says_what_files_are("HDF5", [](const auto& file) { read_ann_benchmarks(file); });
}

TEST_CASE("hdf5: a file cut anywhere is refused", "[hdf5]") {
  const scratch_folder folder;
  write(folder / "whole", {});
  const auto bytes = bytes_of(folder / "whole");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_bytes(folder / "cut", bytes.substr(0, size));
    INFO(size << " of " << bytes.size());
    REQUIRE_THROWS_AS(read_ann_benchmarks(folder / "cut"), annulus::format_error);
  }
}

TEST_CASE("hdf5: errors are printed again after a call, as the program had it", "[hdf5]") {
  const auto own = [](hid_t, void*) -> herr_t { return 0; };
  H5E_auto2_t before = nullptr, after = nullptr;
  void *data_before = nullptr, *data_after = nullptr;
  int mark = 0;
  H5Eget_auto2(H5E_DEFAULT, &before, &data_before);
  H5Eset_auto2(H5E_DEFAULT, own, &mark);
  const scratch_folder folder;
  write_bytes(folder / "a", "x");
  CHECK_THROWS_AS(read_ann_benchmarks(folder / "a"), annulus::format_error);
  H5Eget_auto2(H5E_DEFAULT, &after, &data_after);
  CHECK(after == static_cast<H5E_auto2_t>(own));
  CHECK(data_after == &mark);
  H5Eset_auto2(H5E_DEFAULT, before, data_before);
}

TEST_CASE("hdf5: nothing of a file stays open, whether it is read or refused", "[hdf5]") {
  const scratch_folder folder;
  contents c;
  write(folder / "a", c);
  read_ann_benchmarks(folder / "a");
  c.distances = {{2, 2}, 0, 0, H5T_IEEE_F32LE};
  write(folder / "b", c);
  CHECK_THROWS_AS(read_ann_benchmarks(folder / "b"), annulus::format_error);
  CHECK(H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL) == 0);
}

namespace {

std::filesystem::path h5py_file(const std::string& name) {
  return std::filesystem::path(ANNULUS_TEST_DATA_DIR) / "ann_benchmarks" / name;
}

/// The distances that a search finds are the file's, times `scale`, but for rounding.
template <class Set>
void check_distances(const Set& set, const annulus::neighbors& found, float scale) {
  REQUIRE(found.distances.rows() == set.distances.rows());
  for (std::size_t i = 0; i < found.distances.rows(); ++i)
    for (std::size_t j = 0; j < found.distances.cols(); ++j) {
      CHECK(found.distances(i, j) == Approx(scale * set.distances(i, j)).margin(1e-6));
      CHECK(set.neighbors(i, j) >= 0);
    }
}

/// A file of sets, as the real one is but for what `then` changes.
std::string sets_complaint(const data_set& train, const data_set& sizes, const change& then = {}) {
  const scratch_folder folder;
  contents c;
  c.train = train;
  c.test = {{3}, 0, 1, H5T_STD_I32LE};
  write(folder / "a", c, [&](hid_t file) {
    write_data_set(file, "size_train", sizes);
    write_data_set(file, "size_test", {{2}, 1, 1, H5T_STD_I32LE});
    if (then) then(file);
  });
  return complaint_about(bytes_of(folder / "a"), [](const auto& path) { annulus::read_ann_benchmarks_sets(path); });
}

}  // namespace

TEST_CASE("hdf5: bools are read as bits and as floats, and have the distances of the file", "[hdf5]") {
  const auto path = h5py_file("hamming.hdf5");
  const annulus::ann_benchmarks_bits bits = annulus::read_ann_benchmarks_bits(path);
  const ann_benchmarks floats = read_ann_benchmarks(path);
  CHECK(bits.distance == "hamming");
  REQUIRE(bits.train.rows() == 20);
  REQUIRE(bits.train.bits() == 19);
  REQUIRE(bits.test.rows() == 3);
  REQUIRE(floats.train.cols() == 19);
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 19; ++j) {
      REQUIRE(bits.train.test(i, j) == ((i * 5 + j * j * 3 + i * j) % 7 < 3));
      REQUIRE(floats.train(i, j) == (bits.train.test(i, j) ? 1.0f : 0.0f));
    }
  CHECK(bits.neighbors == floats.neighbors);
  check_distances(bits, annulus::knn(bits.train, bits.test, 5, annulus::bit_hamming{}), 19);
  const auto window = annulus::read_ann_benchmarks_bits(path, 15, 100);
  REQUIRE(window.train.rows() == 5);
  CHECK(std::ranges::equal(window.train.row(4), bits.train.row(19)));
  CHECK(window.test == bits.test);
}

TEST_CASE("hdf5: integers are bits, floats are not", "[hdf5]") {
  const scratch_folder folder;
  contents c;
  CHECK_THAT(complaint_about((write(folder / "a", c), bytes_of(folder / "a")),
                             [](const auto& path) { annulus::read_ann_benchmarks_bits(path); }),
             ContainsSubstring("has floats, which are no bits: read_ann_benchmarks reads them"));
  c.train = {{7, 3}, 0, 1, H5T_STD_U8LE};
  c.test = {{2, 3}, 0, 1, H5T_STD_I8LE};
  write(folder / "a", c);
  CHECK(annulus::read_ann_benchmarks_bits(folder / "a").train.test(0, 0) == false);
  CHECK(annulus::read_ann_benchmarks_bits(folder / "a").train.test(6, 2) == true);
  for (const hid_t type : {H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I64BE}) {
    const double wide = type == H5T_STD_I8LE ? 127 : 512;  // whose lowest byte is 0
    c.train = {{2, 2}, 0, 1, type};
    c.train.values = {0, -1, wide, -wide};
    c.test = {{2, 2}, 0, 0, type};
    c.neighbors = {{2, 3}, 0, 0, H5T_STD_I32LE};
    write(folder / "a", c);
    const auto bits = annulus::read_ann_benchmarks_bits(folder / "a").train;
    CHECK_FALSE(bits.test(0, 0));
    CHECK((bits.test(0, 1) && bits.test(1, 0) && bits.test(1, 1)));
  }
}

TEST_CASE("hdf5: sets are read, and have the distances of the file", "[hdf5]") {
  const auto path = h5py_file("jaccard.hdf5");
  const annulus::ann_benchmarks_sets sets = annulus::read_ann_benchmarks_sets(path);
  CHECK(sets.distance == "jaccard");
  REQUIRE(sets.train.size() == 12);
  REQUIRE(sets.test.size() == 3);
  CHECK(sets.train.dim() == 30);
  CHECK(sets.test.dim() == 30);
  for (std::size_t i = 0; i < 12; ++i) {
    std::vector<std::int32_t> expected;
    for (std::size_t j = 0; j < 30; ++j)
      if ((i * j + j + i) % 5 == 0) expected.push_back(static_cast<std::int32_t>(j));
    REQUIRE(std::ranges::equal(sets.train.row(i).indices, expected));
    REQUIRE(sets.train.row(i).values.empty());
  }
  check_distances(sets, annulus::knn(sets.train, sets.test, 5, annulus::jaccard{}), 1);
  for (const std::size_t first : {0u, 1u, 7u, 12u}) {
    const auto window = annulus::read_ann_benchmarks_sets(path, first, 4);
    REQUIRE(window.train.size() == std::min<std::size_t>(4, 12 - first));
    for (std::size_t i = 0; i < window.train.size(); ++i)
      REQUIRE(std::ranges::equal(window.train.row(i).indices, sets.train.row(first + i).indices));
    CHECK(window.neighbors == sets.neighbors);
  }
  CHECK_THROWS_AS(annulus::read_ann_benchmarks_sets(path, 13), std::invalid_argument);
  CHECK_THROWS_WITH(read_ann_benchmarks(path), ContainsSubstring("read_ann_benchmarks_sets reads sets"));
  CHECK_THROWS_WITH(annulus::read_ann_benchmarks_sets(h5py_file("hamming.hdf5")),
                    ContainsSubstring("has 2 dimensions"));
}

TEST_CASE("hdf5: sets out of order or with members twice are sets, sizes must be those of their members", "[hdf5]") {
  const data_set sizes{{7}, 1, 0, H5T_STD_I64LE};  // seven sets of one member
  const data_set train{{7}, 3, 1, H5T_STD_I32LE};
  REQUIRE(sets_complaint(train, sizes) == "nothing");
  const auto with_train = [&](double member, hid_t type = H5T_STD_I64LE) {
    data_set changed = train;
    changed.type = type;
    changed.values[4] = member;
    return sets_complaint(changed, sizes);
  };
  CHECK(with_train(2147483646) == "nothing");
  CHECK_THAT(with_train(2147483647), ContainsSubstring("has the member 2147483647: members are from 0"));
  CHECK_THAT(with_train(-1), ContainsSubstring("has the member -1"));
  CHECK_THAT(with_train(1, H5T_IEEE_F32LE), ContainsSubstring("has floats, which are no members"));
  const auto with_sizes = [&](std::size_t at, double size) {
    data_set changed = sizes;
    changed.values[at] = size;
    return sets_complaint(train, changed);
  };
  CHECK_THAT(with_sizes(2, 2), ContainsSubstring("has the size 1 of set 6, 0 members are left"));
  CHECK_THAT(with_sizes(2, 0), ContainsSubstring("sums to 6, there are 7 members"));
  CHECK_THAT(with_sizes(2, -1), ContainsSubstring("has the size -1 of set 2"));
  CHECK_THAT(with_sizes(2, 4611686018427387904.0), ContainsSubstring("has the size 4611686018427387904 of set 2"));
  CHECK_THAT(sets_complaint(train, sizes, [](hid_t file) { H5Ldelete(file, "size_test", H5P_DEFAULT); }),
             ContainsSubstring("there is no data set 'size_test'"));

  const scratch_folder folder;
  contents c;
  c.train = {{7}, 0, 0, H5T_STD_I32LE};
  c.train.values = {5, 2, 5, 9, 1, 1, 0};
  c.test = {{3}, 20, 1, H5T_STD_I32LE};
  c.neighbors = {{2, 3}, -1, 0, H5T_STD_I32LE};
  write(folder / "a", c, [&](hid_t file) {
    data_set sizes_of_train{{3}, 0, 0, H5T_STD_I32LE};
    sizes_of_train.values = {3, 0, 4};
    write_data_set(file, "size_train", sizes_of_train);
    write_data_set(file, "size_test", {{2}, 1, 1, H5T_STD_I32LE});
  });
  const auto sets = annulus::read_ann_benchmarks_sets(folder / "a");
  CHECK(std::ranges::equal(sets.train.row(0).indices, std::vector<std::int32_t>{2, 5}));
  CHECK(sets.train.row(1).indices.empty());
  CHECK(std::ranges::equal(sets.train.row(2).indices, std::vector<std::int32_t>{0, 1, 9}));
  CHECK(sets.train.dim() == 23);  // one more than the largest
}

TEST_CASE("hdf5: files of bools and of sets cut anywhere are refused", "[hdf5]") {
  const scratch_folder folder;
  const auto refuses_cut = [&](const std::string& name, auto read) {
    const auto bytes = bytes_of(h5py_file(name));
    std::size_t n_read = 0;
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
      write_bytes(folder / "cut", bytes.substr(0, size));
      try {
        read(folder / "cut");
        ++n_read;
      } catch (const annulus::format_error&) {
      }
    }
    CHECK(n_read == 0);
  };
  refuses_cut("hamming.hdf5", [](const auto& path) { annulus::read_ann_benchmarks_bits(path); });
  refuses_cut("jaccard.hdf5", [](const auto& path) { annulus::read_ann_benchmarks_sets(path); });
}
