#include <annulus/io/index/safetensors.hpp>

#include "io/index_edit.hpp"
#include "message_of.hpp"

using annulus::detail::safetensors_header;

namespace {

/// What a header says of a file with so many bytes of data behind it: the message, or "nothing".
std::string complaint(const std::string& text, std::uint64_t data_bytes) {
  return message_or_nothing<annulus::format_error>([&] {
    const safetensors_header header(text, 8 + text.size() + data_bytes, [](std::uint64_t at, const auto&... reason) {
      annulus::detail::fail_format("file", at, reason...);
    });
  });
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& begin,
                   const std::string& end) {
  return R"({"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + begin + "," + end + "]}";
}
std::string one(const std::string& value) { return R"({"a":)" + value + "}"; }
std::string two(const std::string& a, const std::string& b) { return R"({"a":)" + a + R"(,"b":)" + b + "}"; }

}  // namespace

TEST_CASE("a header of safetensors is taken with and without metadata, in any order", "[safetensors]") {
  CHECK(complaint("{}", 0) == "nothing");
  CHECK(complaint("{}   ", 0) == "nothing");
  CHECK(complaint(R"({"__metadata__":{"b":"c"}})", 0) == "nothing");
  CHECK(complaint(one(tensor("F32", "2,3", "0", "24")), 24) == "nothing");
  CHECK(complaint(one(tensor("F32", "", "0", "4")), 4) == "nothing");  // a scalar
  CHECK(complaint(one(tensor("U8", "7,0", "0", "0")), 0) == "nothing");
  CHECK(complaint(two(tensor("I16", "2", "4", "8"), tensor("F32", "1", "0", "4")), 8) == "nothing");
}

TEST_CASE("tensors must lie one behind the other, up to the end of the file", "[safetensors]") {
  const auto four = tensor("U8", "4", "0", "4");
  CHECK_THAT(complaint(two(four, tensor("U8", "4", "5", "9")), 9), ContainsSubstring("gap or overlap"));
  CHECK_THAT(complaint(two(four, tensor("U8", "4", "3", "7")), 7), ContainsSubstring("gap or overlap"));
  CHECK_THAT(complaint(two(four, four), 4), ContainsSubstring("gap or overlap"));
  CHECK_THAT(complaint(one(tensor("U8", "4", "1", "5")), 5), ContainsSubstring("gap or overlap"));
  CHECK_THAT(complaint(one(four), 5), ContainsSubstring("the tensors end at byte"));
  CHECK_THAT(complaint(one(four), 3), ContainsSubstring("the tensors end at byte"));
  CHECK_THAT(complaint("{}", 1), ContainsSubstring("the tensors end at byte"));
}

TEST_CASE("a tensor's place must be as long as its shape asks for", "[safetensors]") {
  CHECK_THAT(complaint(one(tensor("F32", "2,3", "0", "23")), 23), ContainsSubstring("asks for 24 bytes"));
  CHECK_THAT(complaint(one(tensor("F32", "2,3", "24", "0")), 24), ContainsSubstring("asks for 24 bytes"));
  CHECK_THAT(complaint(one(tensor("F64", "2", "0", "8")), 8), ContainsSubstring("asks for 16 bytes"));
}

TEST_CASE("shapes whose product overflows are refused", "[safetensors]") {
  CHECK_THAT(complaint(one(tensor("U8", "4294967296,4294967296", "0", "0")), 0), ContainsSubstring("overflows"));
  CHECK_THAT(complaint(one(tensor("F64", "2305843009213693952", "0", "0")), 0), ContainsSubstring("overflows"));
  CHECK_THAT(complaint(one(tensor("U8", "18446744073709551616", "0", "0")), 0), ContainsSubstring("'a'"));
}

TEST_CASE("a type that is not known is refused by name", "[safetensors]") {
  for (const char* dtype : {"F8", "U128", "F", "X32", "u8", "I4", "C64"})
    CHECK_THAT(complaint(one(tensor(dtype, "0", "0", "0")), 0), ContainsSubstring(dtype));
  for (const char* dtype : {"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "U16", "I16", "F16", "BF16", "U32", "I32", "F32",
                            "U64", "I64", "F64"})
    CHECK(complaint(one(tensor(dtype, "0", "0", "0")), 0) == "nothing");
}

TEST_CASE("a tensor that lacks something, or has what has no place there, is refused", "[safetensors]") {
  for (const char* value :
       {"{}", "1", "null", "[]", R"("text")", R"({"dtype":"U8","shape":[0]})", R"({"dtype":"U8","data_offsets":[0,0]})",
        R"({"shape":[0],"data_offsets":[0,0]})", R"({"dtype":8,"shape":[0],"data_offsets":[0,0]})",
        R"({"dtype":"U8","shape":0,"data_offsets":[0,0]})", R"({"dtype":"U8","shape":[0],"data_offsets":[0]})",
        R"({"dtype":"U8","shape":[0],"data_offsets":[0,0,0]})", R"({"dtype":"U8","shape":[-1],"data_offsets":[0,0]})",
        R"({"dtype":"U8","shape":[0.5],"data_offsets":[0,0]})", R"({"dtype":"U8","shape":["0"],"data_offsets":[0,0]})",
        R"({"dtype":"U8","shape":[0],"data_offsets":[0,-1]})", R"({"dtype":"U8","shape":[[0]],"data_offsets":[0,0]})",
        R"({"dtype":"U8","shape":[1e3],"data_offsets":[0,1000]})"})
    CHECK_THAT(complaint(one(value), 0), ContainsSubstring("the tensor 'a'"));
}

TEST_CASE("names that are given twice are refused", "[safetensors]") {
  const auto empty = tensor("U8", "0", "0", "0");
  CHECK(complaint(R"({"a":)" + empty + R"(,"a":)" + empty + "}", 0) != "nothing");
  CHECK(complaint(R"({"__metadata__":{},"__metadata__":{}})", 0) != "nothing");
  CHECK(complaint(R"({"__metadata__":{"a":"b","a":"c"}})", 0) != "nothing");
  CHECK(complaint(R"({"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}})", 0) != "nothing");
  CHECK(complaint(R"({"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}})", 0) != "nothing");
}

TEST_CASE("metadata must be strings", "[safetensors]") {
  for (const char* value : {"1", "[]", "null", R"({"a":1})", R"({"a":null})", R"({"a":["b"]})", R"({"a":{"b":"c"}})"})
    CHECK_THAT(complaint(R"({"__metadata__":)" + std::string(value) + "}", 0), ContainsSubstring("metadata"));
}

TEST_CASE("what is not a JSON object is refused", "[safetensors]") {
  for (const char* text : {"", " ", "{", "{}}", "{} {}", R"({"a")", R"({"a":})", "{a:1}", "nul", "\xFF",
                           R"({"\uD800":{}})", R"({"__metadata__":{},})", "// no\n{}"})
    CHECK_THAT(complaint(text, 0), ContainsSubstring("is not JSON"));
  for (const char* text : {"[]", "1", "null", R"("text")", "true"})
    CHECK_THAT(complaint(text, 0), ContainsSubstring("is not a JSON object"));
}

TEST_CASE("nesting of any depth is refused without a stack that overflows", "[safetensors]") {
  constexpr std::size_t depth = 100'000;
  CHECK(complaint(std::string(depth, '['), 0) != "nothing");
  CHECK(complaint(std::string(depth, '[') + std::string(depth, ']'), 0) != "nothing");
  CHECK(complaint(R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}", 0) != "nothing");
  std::string objects;
  for (std::size_t i = 0; i < depth; ++i) objects += R"({"a":)";
  CHECK(complaint(objects + "1" + std::string(depth, '}'), 0) != "nothing");
}

TEST_CASE("a header that is longer than the file or than any header is refused before it is read", "[safetensors]") {
  const scratch_folder folder;
  const auto refuses = [&](std::uint64_t length, const std::string& rest) {
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    write_bytes(folder / "file", bytes + rest);
    const auto says = [&](auto open) {
      return message_of<annulus::format_error>(open).find("a header of " + std::to_string(length) + " bytes") !=
             std::string::npos;
    };
    return says([&] { annulus::detail::loaded_tensors(folder / "file"); }) &&
           says([&] { annulus::detail::mapped_tensors(folder / "file"); });
  };
  CHECK(refuses(3, "{}"));
  CHECK(refuses(~std::uint64_t{0}, "{}"));
  CHECK(refuses(std::uint64_t{1} << 40, "{}"));
  const std::uint64_t most = safetensors_header::max_bytes;
  CHECK(refuses(most + 1, std::string(most + 2, ' ')));
}

TEST_CASE("a written header begins its tensors at a multiple of 64 and is read back with its checksum",
          "[safetensors]") {
  for (std::size_t name_length = 1; name_length < 70; ++name_length) {
    safetensors_header header;
    header.set("key", "text \"quoted\" \xC3\xA9\n");
    header.add(std::string(name_length, 'n'), {"F32", {2, 3}, 0, 24});
    const std::string bytes = header.bytes();
    REQUIRE(bytes.size() % 64 == 0);
    const safetensors_header read(
        std::string_view(bytes).substr(8), bytes.size() + 24,
        [](std::uint64_t at, const auto&... reason) { annulus::detail::fail_format("file", at, reason...); });
    REQUIRE(read.is_checked());
    REQUIRE(read.metadata().at("key") == "text \"quoted\" \xC3\xA9\n");
    REQUIRE(read.metadata().size() == 1);
    const auto& tensor = read.tensors().at(std::string(name_length, 'n'));
    REQUIRE(tensor.begin == bytes.size());
    REQUIRE(tensor.end == bytes.size() + 24);
    REQUIRE(tensor.shape == std::vector<std::uint64_t>{2, 3});
  }
}

TEST_CASE("a header that is not as it was written is refused by its checksum", "[safetensors]") {
  safetensors_header header;
  header.set("metric", "cosine");
  std::string text = header.bytes().substr(8);
  REQUIRE(complaint(text, 0) == "nothing");
  text.replace(text.find("cosine"), 6, "cosinf");
  CHECK_THAT(complaint(text, 0), ContainsSubstring("the header is not as it was written"));
}
