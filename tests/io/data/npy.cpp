#include <Eigen/Core>
#include <annulus/io/data/npy_convert.hpp>

#include "catch.hpp"
#include "io/scratch.hpp"
#include "progress_watch.hpp"

using annulus::matrix;
using annulus::npy_array;
using annulus::read_npy;
using annulus::read_npy_array;
using annulus::write_npy;

namespace {

using shape_type = std::vector<std::size_t>;

template <class T>
std::string raw(const T* values, std::size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return raw(values.data(), values.size());
}

/// Values in whose bytes every bit is somewhere set and somewhere not, NaN among them.
template <class T>
std::vector<T> sample(std::size_t count) {
  std::string bytes(count * sizeof(T), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 167 % 251 + i / 251);
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// A file of version 1.0, the header padded with this many spaces.
std::string numpy_file(const std::string& dict, std::size_t padding, const std::string& values) {
  const auto length = static_cast<char>(dict.size() + padding + 1);
  return std::string("\x93NUMPY\1\0", 8) + length + '\0' + dict + std::string(padding, ' ') + '\n' + values;
}

/// The values that count up in C order, in Fortran order.
std::vector<double> counting_in_fortran_order(const shape_type& shape) {
  std::size_t count = 1;
  for (const std::size_t size : shape) count *= size;
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i, place = 0;
    for (std::size_t axis = shape.size(), stride = count; axis-- > 0; rest /= shape[axis])
      place += rest % shape[axis] * (stride /= shape[axis]);
    values[place] = static_cast<double>(i);
  }
  return values;
}

std::string shape_text(const shape_type& shape) {
  std::string text = "(";
  for (const std::size_t size : shape) text += std::to_string(size) + ", ";
  return text + ")";
}

}  // namespace

TEMPLATE_TEST_CASE("npy: what was written is read back, bit for bit", "[npy]", Eigen::half, float, double, std::uint8_t,
                   std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t, std::int32_t, std::int64_t) {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  for (const std::size_t rows : {0u, 1u, 3u, 70u})
    for (const std::size_t cols : {0u, 1u, 2u, 67u}) {
      const auto values = sample<TestType>(rows * cols);
      write_npy(path, annulus::matrix_view<TestType>(values.data(), rows, cols));
      const auto m = read_npy<TestType>(path);
      REQUIRE(m.rows() == rows);
      REQUIRE(m.cols() == cols);
      REQUIRE(raw(m.data(), rows * cols) == raw(values));

      const auto written = bytes_of(path);
      const auto array = read_npy_array<TestType>(path);
      REQUIRE(array.shape == shape_type{rows, cols});
      REQUIRE(raw(array.values) == raw(values));
      write_npy(path, array);
      REQUIRE(bytes_of(path) == written);
    }
}

TEST_CASE("npy: types have numpy's names", "[npy]") {
  using namespace annulus::detail;
  CHECK(npy_dtype<bool>() == "|b1");
  CHECK(npy_dtype<Eigen::half>() == "<f2");
  CHECK(npy_dtype<float>() == "<f4");
  CHECK(npy_dtype<double>() == "<f8");
  CHECK(npy_dtype<std::uint8_t>() == "|u1");
  CHECK(npy_dtype<std::uint16_t>() == "<u2");
  CHECK(npy_dtype<std::uint32_t>() == "<u4");
  CHECK(npy_dtype<std::uint64_t>() == "<u8");
  CHECK(npy_dtype<std::int8_t>() == "|i1");
  CHECK(npy_dtype<std::int16_t>() == "<i2");
  CHECK(npy_dtype<std::int32_t>() == "<i4");
  CHECK(npy_dtype<std::int64_t>() == "<i8");
}

TEST_CASE("npy: the bytes are those that numpy writes", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  matrix<float> m(3, 4);
  m(2, 3) = -1;
  write_npy(path, m);
  CHECK(bytes_of(path) == numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }", 58,
                                     std::string(46, '\0') + "\x80\xBF"));
  write_npy(path, npy_array<std::uint8_t>{{3}, {'a', 'b', 'c'}});
  CHECK(bytes_of(path) == numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", 60, "abc"));
  write_npy(path, npy_array<std::uint8_t>{{1, 1, 2}, {'a', 'b'}});
  CHECK(bytes_of(path) == numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 2), }", 55, "ab"));
  write_npy(path, npy_array<std::int16_t>{{}, {-2}});
  CHECK(bytes_of(path) == numpy_file("{'descr': '<i2', 'fortran_order': False, 'shape': (), }", 62, "\xFE\xFF"));
  write_npy(path, matrix<double>(0, 25));
  CHECK(bytes_of(path) == numpy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 25), }", 57, ""));
}

TEST_CASE("npy: numpy's padding is followed where the header needs none, or one line more", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  const std::string dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ";
  write_npy(path, npy_array<std::uint8_t>{{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 12}, {}});
  CHECK(bytes_of(path) == numpy_file(dict + "12), }", 21, ""));
  write_npy(path, npy_array<std::uint8_t>{{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 123}, {}});
  CHECK(bytes_of(path) == numpy_file(dict + "123), }", 84, ""));
}

TEST_CASE("npy: numpy's files of versions 1, 2 and 3 are read alike", "[npy]") {
  const scratch_folder folder;
  const std::string dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", values = "abcd";
  write_bytes(folder / "1.npy", numpy_file(dict, 58, values));
  write_bytes(folder / "2.npy", std::string("\x93NUMPY\2\0t\0\0\0", 12) + dict + std::string(56, ' ') + '\n' + values);
  write_bytes(folder / "3.npy", std::string("\x93NUMPY\3\0t\0\0\0", 12) + dict + std::string(56, ' ') + '\n' + values);
  for (const char* const name : {"1.npy", "2.npy", "3.npy"}) {
    const auto m = read_npy<std::uint8_t>(folder / name);
    REQUIRE(m.rows() == 2);
    REQUIRE(m.cols() == 2);
    REQUIRE(raw(m.data(), 4) == "abcd");
  }
}

TEST_CASE("npy: numpy's file in Fortran order is read as rows", "[npy]") {
  const scratch_folder folder;
  write_bytes(folder / "a.npy", numpy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", 59, "adbecf"));
  const auto m = read_npy<std::uint8_t>(folder / "a.npy");
  CHECK(m.rows() == 2);
  CHECK(m.cols() == 3);
  CHECK(raw(m.data(), 6) == "abcdef");
  CHECK(raw(read_npy_array<std::uint8_t>(folder / "a.npy").values) == "abcdef");
}

TEST_CASE("npy: Fortran order of any shape becomes C order", "[npy]") {
  const scratch_folder folder;
  for (const shape_type& shape : {shape_type{1, 1},
                                  {2, 3},
                                  {9, 8},
                                  {8, 9},
                                  {1, 20},
                                  {20, 1},
                                  {33, 40},
                                  {5, 0},
                                  {0, 5},
                                  {6},
                                  {1},
                                  {2, 3, 4},
                                  {4, 1, 3},
                                  {1, 4, 3},
                                  {2, 0, 3},
                                  {3, 10, 2, 5},
                                  {2, 17, 1, 3},
                                  {2, 2, 2, 2, 2, 2}}) {
    const auto values = counting_in_fortran_order(shape);
    const auto dict = "{'descr': '<f8', 'fortran_order': True, 'shape': " + shape_text(shape) + "}";
    write_bytes(folder / "a.npy", numpy_file(dict, 0, raw(values)));
    const auto array = read_npy_array<double>(folder / "a.npy");
    INFO(shape_text(shape));
    REQUIRE(array.shape == shape);
    REQUIRE(array.values.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) REQUIRE(array.values[i] == static_cast<double>(i));
    if (shape.size() == 2) REQUIRE(raw(read_npy<double>(folder / "a.npy").data(), values.size()) == raw(array.values));
  }
}

TEST_CASE("npy: a window of rows in Fortran order is the slice of the whole", "[npy]") {
  const scratch_folder folder;
  for (const auto& [rows, cols] : {std::pair<std::size_t, std::size_t>{7, 5}, {1, 20}, {20, 1}, {9, 40}, {5, 0}}) {
    const auto values = counting_in_fortran_order({rows, cols});
    const auto dict = "{'descr': '<f8', 'fortran_order': True, 'shape': " + shape_text({rows, cols}) + "}";
    write_bytes(folder / "a.npy", numpy_file(dict, 0, raw(values)));
    for (std::size_t first = 0; first <= rows; ++first)
      for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3}, annulus::all_rows}) {
        const auto window = read_npy<double>(folder / "a.npy", first, count);
        INFO(rows << " x " << cols << " from " << first << " on " << count);
        REQUIRE(window.rows() == std::min(count, rows - first));
        REQUIRE(window.cols() == cols);
        for (std::size_t i = 0; i < window.rows() * cols; ++i)
          REQUIRE(window.data()[i] == static_cast<double>(first * cols + i));
      }
    CHECK_THROWS_AS(read_npy<double>(folder / "a.npy", rows + 1), std::invalid_argument);
  }
}

TEST_CASE("npy: progress in Fortran order, and of arrays, grows to one and cancels", "[npy]") {
  const scratch_folder folder;
  const std::size_t rows = 500000, cols = 18;  // 9 MB
  const auto dict = "{'descr': '|u1', 'fortran_order': True, 'shape': (500000, 18)}";
  write_bytes(folder / "a.npy", numpy_file(dict, 0, std::string(rows * cols, 'a')));
  std::vector<double> fractions;
  const auto progress = [&](const annulus::progress_report& report) {
    fractions.push_back(report.fraction);
    return fractions.size() < 3;
  };
  read_npy<std::uint8_t>(folder / "a.npy", 0, annulus::all_rows, {.progress = progress});
  CHECK(fractions.size() == 2);
  CHECK(std::ranges::is_sorted(fractions));
  CHECK(fractions.back() == 1);
  CHECK_THROWS_AS(read_npy_array<std::uint8_t>(folder / "a.npy", {.progress = progress}), annulus::cancelled);
  CHECK_THROWS_AS(write_npy(folder / "b.npy", npy_array<std::uint8_t>{{2}, {1, 2}}, {.progress = progress}),
                  annulus::cancelled);
  CHECK(folder.n_files() == 1);
}

TEST_CASE("npy: one dimension is mapped as one row, and versions 2 and 3 as version 1", "[npy]") {
  const scratch_folder folder;
  write_npy(folder / "a.npy", npy_array<double>{{3}, {1, 2, 3}});
  const auto row = annulus::map_npy<double>(folder / "a.npy");
  CHECK(row.rows() == 1);
  CHECK(std::ranges::equal(row.row(0), std::vector<double>{1, 2, 3}));
  const std::string dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", values = "abcd";
  for (const char version : {'\2', '\3'}) {
    write_bytes(folder / "b.npy", std::string("\x93NUMPY") + version + std::string("\0t\0\0\0", 5) + dict +
                                      std::string(56, ' ') + '\n' + values);
    CHECK(raw(annulus::map_npy<std::uint8_t>(folder / "b.npy").view().data(), 4) == "abcd");
  }
}

TEST_CASE("npy: what can be read but not mapped is refused with that advice", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  write_bytes(path, numpy_file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", 59, "adbecf"));
  CHECK_NOTHROW(read_npy<std::uint8_t>(path));
  CHECK_THROWS_AS(annulus::map_npy<std::uint8_t>(path), annulus::format_error);
  CHECK_THROWS_WITH(annulus::map_npy<std::uint8_t>(path),
                    ContainsSubstring("byte 44: rows are not contiguous in Fortran order: read the file instead"));
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  for (const std::size_t padding : {54u, 58u, 60u}) {
    write_bytes(path, numpy_file(dict, padding, "12345678"));
    CHECK_NOTHROW(read_npy<float>(path));
    if (padding % 4 == 2) CHECK(raw(annulus::map_npy<float>(path).view().data(), 2) == "12345678");
    else CHECK_THROWS_AS(annulus::map_npy<float>(path), annulus::format_error);
  }
  write_bytes(path, numpy_file(dict, 57, "12345678"));
  CHECK_THROWS_WITH(annulus::map_npy<float>(path), ContainsSubstring("byte 127: values of 4 bytes begin here"));
}

TEST_CASE("npy: one dimension is a matrix of one row", "[npy]") {
  const scratch_folder folder;
  write_npy(folder / "a.npy", npy_array<float>{{3}, {1, 2, 3}});
  const auto m = read_npy<float>(folder / "a.npy");
  CHECK(m.rows() == 1);
  CHECK(m.cols() == 3);
  CHECK(m(0, 2) == 3);
  write_npy(folder / "a.npy", npy_array<float>{});
  CHECK(read_npy<float>(folder / "a.npy") == matrix<float>(1, 0));
}

TEST_CASE("npy: no dimension, and three, are arrays but no matrices", "[npy]") {
  const scratch_folder folder;
  const npy_array<float> one{{}, {7}}, many{{2, 1, 3}, {1, 2, 3, 4, 5, 6}};
  write_npy(folder / "one.npy", one);
  write_npy(folder / "many.npy", many);
  CHECK(read_npy_array<float>(folder / "one.npy") == one);
  CHECK(read_npy_array<float>(folder / "many.npy") == many);
  CHECK_THROWS_AS(read_npy<float>(folder / "one.npy"), annulus::format_error);
  CHECK_THROWS_WITH(read_npy<float>(folder / "one.npy"),
                    ContainsSubstring("byte 60: a matrix has 1 or 2 dimensions, this array 0"));
  CHECK_THROWS_WITH(read_npy<float>(folder / "many.npy"), ContainsSubstring("this array 3"));
}

TEST_CASE("npy: an array without values keeps its shape", "[npy]") {
  const scratch_folder folder;
  for (const shape_type& shape : {shape_type{0}, {0, 8}, {8, 0}, {2, 0, 3}, {0, 0}, {std::size_t{1} << 60, 0}}) {
    write_npy(folder / "a.npy", npy_array<float>{shape, {}});
    CHECK(read_npy_array<float>(folder / "a.npy") == npy_array<float>{shape, {}});
  }
}

TEST_CASE("npy: rows without values are written whatever their number", "[npy]") {
  const scratch_folder folder;
  write_npy(folder / "a.npy", matrix<float>(std::size_t{1} << 60, 0));
  CHECK(read_npy<float>(folder / "a.npy").rows() == std::size_t{1} << 60);
}

TEST_CASE("npy: a view's stride is not written", "[npy]") {
  const scratch_folder folder;
  const auto all = sample<std::uint16_t>(24);
  write_npy(folder / "a.npy", annulus::matrix_view<std::uint16_t>(all.data() + 1, 4, 3, 6));
  const auto m = read_npy<std::uint16_t>(folder / "a.npy");
  REQUIRE(m.rows() == 4);
  REQUIRE(m.cols() == 3);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 3; ++j) CHECK(m(i, j) == all[1 + 6 * i + j]);
}

TEST_CASE("npy: an Eigen matrix is written like any other, a vector as one dimension", "[npy]") {
  const scratch_folder folder;
  Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> m(2, 2);
  m << 1, 2, 3, 4;
  write_npy(folder / "a.npy", m);
  CHECK(read_npy_array<float>(folder / "a.npy") == npy_array<float>{{2, 2}, {1, 2, 3, 4}});
  write_npy(folder / "a.npy", std::vector<float>{5, 6, 7});
  CHECK(read_npy_array<float>(folder / "a.npy") == npy_array<float>{{3}, {5, 6, 7}});
  CHECK(read_npy<float>(folder / "a.npy").rows() == 1);
  write_npy(folder / "a.npy", std::span<const float>(m.data(), 0));
  CHECK(read_npy_array<float>(folder / "a.npy") == npy_array<float>{{0}, {}});
}

TEST_CASE("npy: an array whose shape is not that of its values cannot be written", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  const std::size_t large = std::size_t{1} << 32;
  CHECK_THROWS_AS(write_npy(path, npy_array<float>{{2, 3}, {1, 2, 3}}), std::invalid_argument);
  CHECK_THROWS_AS(write_npy(path, npy_array<float>{{2}, {1, 2, 3}}), std::invalid_argument);
  CHECK_THROWS_AS(write_npy(path, npy_array<float>{{}, {}}), std::invalid_argument);
  CHECK_THROWS_AS(write_npy(path, npy_array<float>{{large, large}, {}}), std::invalid_argument);
  CHECK_THROWS_AS(write_npy(path, npy_array<float>{shape_type(65, 1), {1}}), std::invalid_argument);
  CHECK(folder.n_files() == 0);
  write_npy(path, npy_array<float>{shape_type(64, 1), {1}});
  CHECK(read_npy_array<float>(path) == npy_array<float>{shape_type(64, 1), {1}});
}

TEST_CASE("npy: a file is replaced, and nothing else is left in its folder", "[npy]") {
  const scratch_folder folder;
  write_npy(folder / "a.npy", matrix<float>(30, 20, 1.0f));
  write_npy(folder / "a.npy", matrix<float>(2, 3, 2.0f));
  CHECK(read_npy<float>(folder / "a.npy") == matrix<float>(2, 3, 2.0f));
  CHECK(folder.n_files() == 1);
}

TEST_CASE("npy: a missing file, and a folder that is missing, are errors of the system", "[npy]") {
  const scratch_folder folder;
  CHECK_THROWS_AS(read_npy<float>(folder / "missing.npy"), std::system_error);
  CHECK_THROWS_AS(read_npy_array<float>(folder / "missing.npy"), std::system_error);
  CHECK_THROWS_AS(write_npy(folder / "missing/a.npy", matrix<float>(1, 1)), std::system_error);
}

TEST_CASE("npy: a vector is read from one dimension, one column and one row", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  const std::vector<std::int32_t> labels{3, 1, 2};
  for (const shape_type& shape : {shape_type{3}, {3, 1}, {1, 3}}) {
    write_npy(path, npy_array<std::int32_t>{shape, labels});
    CHECK(annulus::read_npy_vector<std::int32_t>(path) == labels);
  }
  for (const shape_type& shape : {shape_type{1, 1, 3}, {3, 1, 1}}) {
    write_npy(path, npy_array<std::int32_t>{shape, labels});
    CHECK_THROWS_WITH(annulus::read_npy_vector<std::int32_t>(path), ContainsSubstring("this array has 3"));
  }
  write_npy(path, npy_array<std::int32_t>{{2, 2}, {1, 2, 3, 4}});
  CHECK_THROWS_AS(annulus::read_npy_vector<std::int32_t>(path), annulus::format_error);
  CHECK_THROWS_AS(annulus::read_npy_vector<float>(path), annulus::format_error);
}

TEST_CASE("npy: sizes may have the L of Python 2", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  for (const std::string shape : {"(2L, 3L)", "(2L, 3L,)", "(2, 3L)", "(2L , 3)"}) {
    write_bytes(path, numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }", 1, "abcdef"));
    CHECK(read_npy_array<std::uint8_t>(path).shape == shape_type{2, 3});
    CHECK(annulus::map_npy<std::uint8_t>(path).rows() == 2);
  }
  write_bytes(path, numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (6L,), }", 1, "abcdef"));
  CHECK(read_npy_array<std::uint8_t>(path).shape == shape_type{6});
  for (const std::string shape : {"(2LL, 3)", "(2l, 3)", "(L, 6)", "(2L 3)"}) {
    write_bytes(path, numpy_file("{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }", 1, "abcdef"));
    CHECK_THROWS_AS(read_npy<std::uint8_t>(path), annulus::format_error);
  }
}

TEST_CASE("npy: bools are read as bools, as bytes and as bits, and written", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  const std::size_t rows = 5, cols = 11;
  std::string values(rows * cols, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i * i % 5 < 2 ? '\1' : '\0';
  const std::string file = numpy_file("{'descr': '|b1', 'fortran_order': False, 'shape': (5, 11), }", 57, values);
  write_bytes(path, file);
  const matrix<bool> bools = read_npy<bool>(path);
  write_npy(folder / "b.npy", bools);
  CHECK(bytes_of(folder / "b.npy") == file);
  const auto bytes = read_npy<std::uint8_t>(path);
  CHECK(raw(bytes.data(), values.size()) == values);
  CHECK(raw(read_npy_array<std::uint8_t>(path).values) == values);
  CHECK(raw(annulus::map_npy<std::uint8_t>(path).view().data(), values.size()) == values);
  for (std::size_t first = 0; first <= rows; ++first) {
    const annulus::bit_matrix bits = annulus::read_npy_bits(path, first, 3);
    REQUIRE(bits.rows() == std::min<std::size_t>(3, rows - first));
    REQUIRE(bits.bits() == cols);
    for (std::size_t i = 0; i < bits.rows(); ++i)
      for (std::size_t j = 0; j < cols; ++j) {
        REQUIRE(bits.test(i, j) == (values[(first + i) * cols + j] != 0));
        REQUIRE(bools(first + i, j) == bits.test(i, j));
      }
  }
  // Any byte but 0 is true to numpy.
  write_bytes(
      path, numpy_file("{'descr': '|b1', 'fortran_order': True, 'shape': (2, 2), }", 59, std::string("\7\0\xFF\1", 4)));
  CHECK(raw(read_npy<bool>(path).data(), 4) == std::string("\1\1\0\1", 4));
  CHECK(raw(read_npy<std::uint8_t>(path).data(), 4) == std::string("\1\1\0\1", 4));
  CHECK(annulus::read_npy_bits(path).test(1, 0) == false);
  write_npy(path, matrix<float>(2, 2));
  CHECK_THROWS_AS(read_npy<bool>(path), annulus::format_error);
  CHECK_THROWS_AS(annulus::read_npy_bits(path), annulus::format_error);
}

TEST_CASE("npy: the type, shape and order of a file are told without its values", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  write_npy(path, npy_array<double>{{2, 1, 3}, std::vector<double>(6)});
  auto info = annulus::read_npy_info(path);
  CHECK(info.dtype == "<f8");
  CHECK(info.shape == shape_type{2, 1, 3});
  CHECK(!info.is_fortran_order);
  write_bytes(path, numpy_file("{'descr': '>c16', 'fortran_order': True, 'shape': (2, 900), }", 0, ""));
  info = annulus::read_npy_info(path);
  CHECK(info.dtype == ">c16");
  CHECK(info.shape == shape_type{2, 900});
  CHECK(info.is_fortran_order);
}

TEST_CASE("npy: values of another type are converted on request", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  matrix<double> m(700, 300);  // more than a block
  for (std::size_t i = 0; i < 700 * 300; ++i) m.data()[i] = 0.1 * static_cast<double>(i) - 7;
  write_npy(path, m);
  CHECK_THROWS_AS(read_npy<float>(path), annulus::format_error);
  for (const std::size_t first : {0u, 3u, 699u, 700u}) {
    const auto floats = annulus::read_npy_as<float>(path, first, 690);
    REQUIRE(floats.rows() == std::min<std::size_t>(690, 700 - first));
    for (std::size_t i = 0; i < floats.rows() * 300; ++i)
      REQUIRE(floats.data()[i] == static_cast<float>(m.data()[first * 300 + i]));
  }
  CHECK_THROWS_AS(annulus::read_npy_as<float>(path, 701), std::invalid_argument);
  CHECK_THROWS_WITH(annulus::read_npy_as<std::int32_t>(path), ContainsSubstring("'<f8' is not the '<i4'"));
  CHECK(annulus::read_npy_as<double>(path) == m);

  const auto values = counting_in_fortran_order({4, 5});
  write_bytes(path, numpy_file("{'descr': '<f8', 'fortran_order': True, 'shape': (4, 5)}", 0, raw(values)));
  const auto window = annulus::read_npy_as<float>(path, 1, 2);
  for (std::size_t i = 0; i < 10; ++i) CHECK(window.data()[i] == static_cast<float>(5 + i));

  constexpr double infinity = std::numeric_limits<double>::infinity();
  write_npy(path, npy_array<double>{{2, 2}, {infinity, -infinity, 3e38, 0}});
  CHECK(annulus::read_npy_as<float>(path)(0, 1) == -std::numeric_limits<float>::infinity());
  write_npy(path, npy_array<double>{{2, 2}, {0, 0, 4e38, 0}});
  CHECK_THROWS_WITH(annulus::read_npy_as<float>(path),
                    ContainsSubstring("byte 128: row 1, column 0: 4e+38 has no value"));
}

TEST_CASE("npy: integers of another width are converted where they fit", "[npy]") {
  const scratch_folder folder;
  const auto path = folder / "a.npy";
  write_npy(path, std::vector<std::int64_t>{-1, 127, 4294967295});
  CHECK(annulus::read_npy_as<std::int64_t>(path)(0, 2) == 4294967295);
  CHECK(annulus::read_npy_as<double>(path)(0, 2) == 4294967295.0);
  CHECK(annulus::read_npy_as<float>(path)(0, 0) == -1.0f);
  CHECK_THROWS_WITH(annulus::read_npy_as<std::int32_t>(path), ContainsSubstring("row 0, column 2: 4294967295"));
  CHECK_THROWS_WITH(annulus::read_npy_as<std::uint32_t>(path), ContainsSubstring("row 0, column 0: -1"));
  CHECK_THROWS_WITH(annulus::read_npy_as<std::int8_t>(path), ContainsSubstring("no value of the type '|i1'"));
  write_npy(path, std::vector<std::uint64_t>{0, 70000});
  CHECK(annulus::read_npy_as<std::int32_t>(path)(0, 1) == 70000);
  CHECK_THROWS_WITH(annulus::read_npy_as<Eigen::half>(path), ContainsSubstring("row 0, column 1: 70000"));
  write_npy(path, matrix<bool>(1, 2, true));
  CHECK(annulus::read_npy_as<float>(path) == matrix<float>(1, 2, 1.0f));
  write_npy(path, matrix<Eigen::half>(1, 2, Eigen::half(0.5f)));
  CHECK(annulus::read_npy_as<double>(path) == matrix<double>(1, 2, 0.5));
}

TEST_CASE("npy: that there are no rows to convert is reported too", "[npy]") {
  const scratch_folder folder;
  annulus::write_npy(folder / "a", matrix<double>(3, 2, 1.0));
  progress_watch watch;
  CHECK(annulus::read_npy_as<float>(folder / "a", 3, 5, {.progress = watch.callback()}).rows() == 0);
  CHECK(watch.fault({"read npy"}) == "");
}
