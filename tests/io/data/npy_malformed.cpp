#include <annulus/io/data/npy.hpp>

#include "catch.hpp"
#include "io/scratch.hpp"

namespace {

const std::string twelve_floats(48, '\x3F');

/// A file whose header is this text, with the length that belongs to it.
std::string npy_file(const std::string& text, const std::string& values, char major = 1) {
  std::string length(major == 1 ? 2 : 4, '\0');
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(text.size() >> 8 * i);
  return "\x93NUMPY" + std::string{major, '\0'} + length + text + values;
}

std::string dict_of(const std::string& dtype, const std::string& shape) {
  return "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

/// What read_npy_array<T> says to a file of these bytes.
template <class T = float>
std::string complaint(const std::string& bytes) {
  return complaint_about(bytes, [](const auto& path) { annulus::read_npy_array<T>(path); });
}

}  // namespace

TEST_CASE("npy: a header may differ from numpy's in spaces, quotes, and the order of its keys", "[npy]") {
  for (const std::string text : {
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }",
           "{'descr':'<f4','fortran_order':False,'shape':(3,4)}",
           "{'shape': (3, 4), 'fortran_order': False, 'descr': '<f4'}      \n",
           "{\"descr\": \"<f4\", \"fortran_order\": False, 'shape': (3, 4,), }\n\n",
           " {\n'fortran_order'\t: False ,\r\n'descr' : '<f4' , 'shape' : ( 3 , 4 , ) , } ",
           "{'descr': '=f4', 'fortran_order': False, 'shape': (3, 4), }",
       }) {
    const scratch_folder folder;
    write_bytes(folder / "a.npy", npy_file(text, twelve_floats));
    INFO(text);
    const auto array = annulus::read_npy_array<float>(folder / "a.npy");
    CHECK(array.shape == std::vector<std::size_t>{3, 4});
    CHECK(std::memcmp(array.values.data(), twelve_floats.data(), twelve_floats.size()) == 0);
  }
  CHECK(complaint<std::uint8_t>(npy_file(dict_of("<u1", "(48,)"), twelve_floats)) == "nothing");
}

TEST_CASE("npy: a header that is not a dict of the three keys is refused", "[npy]") {
  const auto refused = [](const std::string& text, const std::string& reason) {
    INFO(text);
    CHECK_THAT(complaint(npy_file(text, twelve_floats)), ContainsSubstring(reason));
  };
  refused("", "byte 10: the header must go on with {");
  refused("   ", "byte 13: the header must go on with {");
  refused("['descr']", "byte 10: the header must go on with {");
  refused("{}", "byte 10: the key 'descr' is missing");
  refused("{'descr': '<f4', 'shape': (3, 4)}", "byte 10: the key 'fortran_order' is missing");
  refused("{'descr': '<f4', 'fortran_order': False}", "byte 10: the key 'shape' is missing");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'x': 1}", "byte 68: unknown key 'x'");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'descr': '<f4'}",
          "byte 68: the key 'descr' comes twice");
  refused("{'shape': (3, 4), 'shape': (3, 4), 'descr': '<f4', 'fortran_order': False}",
          "byte 28: the key 'shape' comes twice");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }x", "byte 69: only spaces may follow");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), },", "byte 69: only spaces may follow");
  refused(std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }\0", 60),
          "byte 69: only spaces may follow");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)", "byte 66: the header must go on with ,");
  refused("{'descr': '<f4' 'fortran_order': False, 'shape': (3, 4)}", "byte 26: the header must go on with ,");
  refused("{,}", "byte 11: the header must go on with a string in quotes");
  refused("{descr: '<f4'}", "byte 11: the header must go on with a string in quotes");
  refused("{'descr' '<f4'}", "byte 19: the header must go on with :");
}

TEST_CASE("npy: a value of the wrong kind is refused", "[npy]") {
  const auto refused = [](const std::string& dtype, const std::string& order, const std::string& shape,
                          const std::string& reason) {
    const auto text = "{'descr': " + dtype + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    INFO(text);
    CHECK_THAT(complaint(npy_file(text, twelve_floats)), ContainsSubstring(reason));
  };
  const std::string dtype = "'<f4'", order = "False", shape = "(3, 4)";
  refused("4", order, shape, "byte 20: the header must go on with a string");
  refused("'<f4", order, shape, "byte 27: the header must go on with ,");
  refused("'<f4\"", order, shape, "byte 28: the header must go on with ,");
  refused("'<f4" + std::string(100, ' ') + "'", order, shape, "byte 20: the string does not end within 64 bytes");
  refused("[('x', '<f4')]", order, shape, "byte 20: arrays of records cannot be read");
  refused(dtype, "0", shape, "byte 44: the header must go on with True or False");
  refused(dtype, "Falsehood", shape, "byte 49: the header must go on with ,");
  refused(dtype, "'False'", shape, "byte 44: the header must go on with True or False");
  refused(dtype, order, "12", "byte 60: the header must go on with (");
  refused(dtype, order, "[3, 4]", "byte 60: the header must go on with (");
  refused(dtype, order, "(12)", "byte 63: the header must go on with ,");
  refused(dtype, order, "(3, 4", "byte 67: the header must go on with a size");
  refused(dtype, order, "(3 4)", "byte 63: the header must go on with ,");
  refused(dtype, order, "(3, 4 1)", "byte 66: the header must go on with ,");
  refused(dtype, order, "(,)", "byte 61: the header must go on with a size");
  refused(dtype, order, "(3, 4,,)", "byte 66: the header must go on with a size");
  refused(dtype, order, "(-3, -4)", "byte 61: the header must go on with a size");
  refused(dtype, order, "(+3, 4)", "byte 61: the header must go on with a size");
  refused(dtype, order, "(3.0, 4)", "byte 62: the header must go on with ,");
  refused(dtype, order, "(3, 0x4)", "byte 65: the header must go on with ,");
  refused(dtype, order, "(3, 04)", "byte 64: the header must go on with a size");
  refused(dtype, order, "(3e0, 4)", "byte 62: the header must go on with ,");
  refused(dtype, order, "(3, None)", "byte 64: the header must go on with a size");
}

TEST_CASE("npy: big-endian values are refused by name", "[npy]") {
  CHECK_THAT(complaint(npy_file(dict_of(">f4", "(12,)"), twelve_floats)),
             ContainsSubstring("byte 20: dtype '>f4' is big-endian, not the '<f4' that is asked for"));
}

TEST_CASE("npy: another type is refused with both names", "[npy]") {
  for (const std::string dtype :
       {"<f8", "<f2", "<i4", "|u1", "|f4", "f4", "<f", "<f44", "<c8", "|b1", "<U1", "|O", ""}) {
    INFO(dtype);
    CHECK_THAT(complaint(npy_file(dict_of(dtype, "(12,)"), twelve_floats)),
               ContainsSubstring("byte 20: dtype '" + dtype + "' is not the '<f4' that is asked for"));
  }
  CHECK_THAT(complaint<std::int8_t>(npy_file(dict_of("|u1", "(48,)"), twelve_floats)),
             ContainsSubstring("dtype '|u1' is not the '|i1'"));
  CHECK_THAT(complaint<std::int64_t>(npy_file(dict_of("<u8", "(6,)"), twelve_floats)),
             ContainsSubstring("dtype '<u8' is not the '<i8'"));
}

TEST_CASE("npy: a shape whose product wraps is refused", "[npy]") {
  for (const std::string shape : {"(4294967296, 4294967296)", "(4611686018427387904,)", "(2305843009213693952,)",
                                  "(0, 2305843009213693952)", "(4294967296, 4294967296, 0)", "(3, 6148914691236517206)",
                                  "(18446744073709551615,)", "(65536, 65536, 65536, 65536)"})
    for (const std::string& values : {std::string(), twelve_floats}) {
      INFO(shape);
      CHECK_THAT(complaint(npy_file(dict_of("<f4", shape), values)),
                 ContainsSubstring("byte 60: the shape's product overflows the address space"));
    }
  CHECK_THAT(complaint(npy_file(dict_of("<f4", "(1, 18446744073709551616)"), "")),
             ContainsSubstring("byte 64: a size is beyond the address space"));
}

TEST_CASE("npy: a shape that the file cannot hold is refused before memory is asked for", "[npy]") {
  const auto bytes = npy_file(dict_of("<f4", "(2305843009213693951, 1)"), twelve_floats);
  CHECK_THAT(complaint(bytes), ContainsSubstring("byte " + std::to_string(bytes.size()) +
                                                 ": the file ends here, 9223372036854775756 bytes too early"));
}

TEST_CASE("npy: bytes after the values are refused", "[npy]") {
  const auto bytes = npy_file(dict_of("<f4", "(12,)"), twelve_floats);
  REQUIRE(complaint(bytes) == "nothing");
  CHECK_THAT(complaint(bytes + "x"), ContainsSubstring("byte " + std::to_string(bytes.size()) +
                                                       ": the values end here, the file 1 bytes later"));
  CHECK_THAT(complaint(npy_file(dict_of("<f4", "(0, 4)"), "abcd")), ContainsSubstring("the file 4 bytes later"));
}

TEST_CASE("npy: a header that passes the end of the file is refused", "[npy]") {
  const auto text = dict_of("<f4", "(12,)");
  auto bytes = npy_file(text, twelve_floats);
  bytes[8] = bytes[9] = '\xFF';
  CHECK_THAT(complaint(bytes), ContainsSubstring("byte 8: a header of 65535 bytes passes the file's end"));
  bytes = npy_file(text, twelve_floats, 2);
  bytes[8] = bytes[9] = bytes[10] = bytes[11] = '\xFF';
  CHECK_THAT(complaint(bytes), ContainsSubstring("byte 8: a header of 4294967295 bytes passes the file's end"));
  bytes = npy_file(text, "");
  bytes[8] = static_cast<char>(bytes[8] + 1);
  CHECK_THAT(complaint(bytes), ContainsSubstring("byte 8: a header of"));
}

TEST_CASE("npy: versions that do not exist are refused", "[npy]") {
  for (const std::string version : {"0.0", "0.1", "1.1", "2.1", "3.1", "4.0", "1.255", "255.0"}) {
    auto bytes = npy_file(dict_of("<f4", "(12,)"), twelve_floats);
    const auto dot = version.find('.');
    bytes[6] = static_cast<char>(std::stoi(version.substr(0, dot)));
    bytes[7] = static_cast<char>(std::stoi(version.substr(dot + 1)));
    CHECK_THAT(complaint(bytes), ContainsSubstring("byte 6: version " + version + " is none of 1.0, 2.0 and 3.0"));
  }
}

TEST_CASE("npy: other formats are refused", "[npy]") {
  for (const std::string& bytes : {std::string("\x93numpy\1\0", 8), std::string(8, '\xFF')})
    CHECK_THAT(complaint(bytes), ContainsSubstring("byte 0: npy files begin with \\x93NUMPY"));
  CHECK_THAT(complaint("\x93"), ContainsSubstring("byte 1: the file ends here, 5 bytes too early"));
}

TEST_CASE("npy: more dimensions than numpy knows are refused", "[npy]") {
  std::string shape = "(12, ";
  for (std::size_t i = 1; i < 64; ++i) shape += "1, ";
  CHECK(complaint(npy_file(dict_of("<f4", shape + ")"), twelve_floats)) == "nothing");
  CHECK_THAT(complaint(npy_file(dict_of("<f4", shape + "1)"), twelve_floats)),
             ContainsSubstring("there are more than 64 dimensions"));
}

TEST_CASE("npy: a file cut anywhere is refused", "[npy]") {
  for (const char major : {'\1', '\2', '\3'})
    for (const std::string shape : {"(3, 4)", "(12,)", "(0, 4)"}) {
      const auto whole = npy_file(dict_of("<f4", shape), shape == "(0, 4)" ? "" : twelve_floats, major);
      const scratch_folder folder;
      const auto path = folder / "cut.npy";
      write_bytes(path, whole);
      REQUIRE_NOTHROW(annulus::read_npy<float>(path));
      for (std::size_t size = 0; size < whole.size(); ++size) {
        write_bytes(path, whole.substr(0, size));
        REQUIRE_THROWS_AS(annulus::read_npy<float>(path), annulus::format_error);
        REQUIRE_THROWS_AS(annulus::read_npy_array<float>(path), annulus::format_error);
      }
    }
}

TEST_CASE("npy: a header with any byte changed is refused or still that of the file's values", "[npy]") {
  const auto text = dict_of("<f4", "(3, 4)");
  for (const char major : {'\1', '\2'}) {
    const auto whole = npy_file(text, twelve_floats, major);
    const scratch_folder folder;
    const auto path = folder / "changed.npy";
    const auto read_changed = [&](std::size_t byte, char to) {
      auto changed = whole;
      changed[byte] = to;
      write_bytes(path, changed);
      INFO("byte " << byte << " is " << +to);
      try {
        const auto array = annulus::read_npy_array<float>(path);
        std::size_t count = 1;
        for (const std::size_t size : array.shape) count *= size;
        REQUIRE(count == 12);
        REQUIRE(array.values.size() == 12);
        REQUIRE(annulus::read_npy<float>(path).rows() * annulus::read_npy<float>(path).cols() == 12);
        return true;
      } catch (const annulus::format_error&) {
        return false;
      }
    };
    std::size_t n_read = 0;
    for (std::size_t byte = 0; byte < whole.size() - twelve_floats.size(); ++byte) {
      for (int bit = 0; bit < 8; ++bit) n_read += read_changed(byte, static_cast<char>(whole[byte] ^ 1 << bit));
      for (const char to : {'\0', ' ', '"', '(', ')', ',', '0', '1', '9', '=', '>', '{', '}', '\xFF'})
        n_read += read_changed(byte, to);
    }
    CHECK(n_read > 0);  // a space that became another one
  }
}
