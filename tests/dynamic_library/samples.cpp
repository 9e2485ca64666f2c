#include <annulus/dynamic/dynamic_index.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "io/index_samples.hpp"

// Files that earlier versions of the library wrote, of each version of their format (data/index_v*), which every later
// one reads. What is no index but codewords or a list of neighbours is read in tests/io/index.

namespace {

using namespace annulus;
namespace fs = std::filesystem;

const fs::path folder = ANNULUS_TEST_DATA_DIR;
const std::set<std::string> for_templates{"neighbors", "product_quantizer", "optimized_product_quantizer",
                                          "rabitq_quantizer", "rabitq_index"};

/// Distances of the three nearest rows of two queries: what data/index_samples.txt has, by the names of the files.
std::map<std::string, std::vector<float>> recorded() {
  std::map<std::string, std::vector<float>> answers;
  std::ifstream lines(folder / "index_samples.txt");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    answers[name] = {std::istream_iterator<float>(words), {}};
  }
  return answers;
}

std::vector<float> answers_of(const dynamic_index& index) {
  const std::size_t d = index.dim();
  const std::string rows(index.info("rows"));
  const matrix<float> queries = sample_rows(2, d, 2);
  any_rows asked(queries);
  std::vector<std::uint8_t> bits(2 * ((d + 7) / 8), 0x35);
  std::vector<std::int64_t> indptr{0, 2, 5};
  std::vector<std::int32_t> indices{1, 3, 0, 7, 9};
  const std::vector<float> values{.25f, 1, .5f, .5f, .75f};
  if (rows.find("bits") != rows.npos) {
    bits[bits.size() / 2 - 1] = bits.back() = 5;  // below 20
    asked = any_rows::bits(bits.data(), 2, d);
  } else if (rows.find("sparse") != rows.npos) {
    asked = any_rows::csr(dtype::f32, 2, d, indptr.data(), indices.data(), values.data());
  }
  const neighbors found =
      index.info("kind") == "lsh" ? index.search(asked, 3, {.recall_target = 1}) : index.search(asked, 3);
  return {found.distances.data(), found.distances.data() + 6};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file without the header's length and what may differ where two versions of the library write the same: their name,
/// the last digits of values of hash functions, which instruction sets round, and the checksum that holds both.
std::string without_differences(std::string bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  std::string header = bytes.substr(8, length);
  for (const std::string key : {"\"checksum\":\"", "\"library_version\":\"", "\"functions."})
    for (std::size_t at = 0; (at = header.find(key, at)) != header.npos; ++at)
      header.erase(at, header.find(',', at) - at);
  return header.substr(0, header.find_last_not_of(' ')) + bytes.substr(8 + length);
}

bool is_built_without(const std::string& complaint) { return complaint.find("was built without") != complaint.npos; }

}  // namespace

TEST_CASE("dynamic: index files of every version of the format are opened, mapped and answer as they did") {
  const auto answers = recorded();
  std::set<std::string> seen;
  for (const int version : {1, 2})
    for (const auto& entry : fs::directory_iterator(sample_file("", version).parent_path())) {
      const fs::path& path = entry.path();
      if (path.extension() != ".safetensors" || for_templates.count(path.stem().string()) > 0) continue;
      const std::string name = path.parent_path().filename().string() + "/" + path.stem().string();
      CAPTURE(name);
      seen.insert(name);
      try {
        const dynamic_index opened = dynamic_index::open(path), mapped = dynamic_index::map(path);
        mapped.verify();
        const auto found = answers_of(opened);
        CHECK(answers_of(mapped) == found);
        std::ostringstream line;
        line << name;
        for (const float distance : found) line << ' ' << distance;
        CAPTURE(line.str());  // what index_samples.txt has to have
        const auto expected = answers.find(name);
        CHECK(expected != answers.end());
        for (std::size_t i = 0; expected != answers.end() && i < 6; ++i)
          CHECK(found[i] == Approx(expected->second.at(i)).epsilon(1e-4));

        if (version < 2) continue;
        const fs::path copy = fs::temp_directory_path() / ("annulus" + std::to_string(std::random_device{}()));
        opened.save(copy);
        const bool writes_the_same = without_differences(bytes_of(copy)) == without_differences(bytes_of(path));
        fs::remove(copy);
        CHECK(writes_the_same);
      } catch (const std::invalid_argument& complaint) {
        if (!is_built_without(complaint.what())) throw;
      }
    }
  CHECK(seen.size() == answers.size());
}
