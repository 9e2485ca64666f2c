#pragma once

/// \file
/// The manifest of a sharded index: JSON that names the files of all shards, with their sizes and checksums, and has a
/// checksum itself. annulus.hpp leaves this header out. Needs nlohmann/json and xxHash.

#include <annulus/io/index/safetensors.hpp>
#include <annulus/storage/mapped_file.hpp>
#include <annulus/version.hpp>

#include <nlohmann/json.hpp>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

inline constexpr int shard_format_version = 1;

/// 16 digits.
inline std::string file_tag(std::uint64_t number) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(number));
  return digits;
}

/// The names of a rank's files.
struct shard_names {
  shard_names(const std::string& stem, int rank)
      : index(stem + "." + std::to_string(rank) + ".index"), ids(stem + "." + std::to_string(rank) + ".ids") {}
  std::string index, ids;
};

struct file_checks {
  std::uint64_t bytes = 0, hash = 0;
  friend bool operator==(const file_checks&, const file_checks&) = default;
};
struct shard_record {
  std::uint64_t rows = 0;
  file_checks index, ids;
};

/// O(bytes). \throws std::system_error where the file cannot be read.
inline file_checks file_record(const std::filesystem::path& path) {
  const mapped_file file(path);
  return {file.bytes().size(), XXH3_64bits(file.bytes().data(), file.bytes().size())};
}
inline void check_file(const std::filesystem::path& path, const file_checks& wanted) {
  const file_checks found = file_record(path);
  if (found.bytes != wanted.bytes)
    throw format_error(name_of_path(path), std::min(found.bytes, wanted.bytes),
                       "the file has " + std::to_string(found.bytes) + " bytes, where the manifest says " +
                           std::to_string(wanted.bytes));
  if (found.hash != wanted.hash)
    throw format_error(name_of_path(path), 0, "the file is not the one that the manifest tells of, by its checksum");
}

/// The text of a file; of one that is missing none, unless it must exist.
inline std::string text_of_file(const std::filesystem::path& path, bool must_exist = false) {
  constexpr std::uint64_t most = std::uint64_t{1} << 30;
  std::error_code ignored;
  if (!must_exist && !std::filesystem::is_regular_file(path, ignored)) return {};
  input_file file(path);
  if (file.size() > most) file.fail(0, "this is no manifest of shards: it is too long");
  std::string text(file.size(), '\0');
  file.read(text.data(), text.size());
  return text;
}

class shard_manifest {
 public:
  shard_manifest(std::string tag, std::string kind, std::int64_t n_ids, std::vector<shard_record> shards)
      : m_tag(std::move(tag)), m_kind(std::move(kind)), m_n_ids(n_ids), m_shards(std::move(shards)) {}

  /// Reads the text of a file of that name. \throws format_error
  shard_manifest(const std::string& text, const std::string& file) {
    const auto whole = nlohmann::json::parse(text, nullptr, false);
    if (!whole.is_object() || !whole.contains("shards") || !whole["shards"].is_object() || !whole.contains("checksum"))
      throw format_error(file, 0, "this is no manifest of shards");
    const nlohmann::json& body = whole["shards"];
    if (whole["checksum"] != checksum_of_text(body.dump()))
      throw format_error(file, 0, "the manifest is not as it was written, by its checksum");
    try {
      if (const int version = body.at("format_version"); version > shard_format_version)
        throw format_error(file, 0,
                           "format version " + std::to_string(version) + " is newer than version " +
                               std::to_string(shard_format_version) + ", the newest that annulus " + ANNULUS_VERSION +
                               " reads");
      m_tag = body.at("tag");
      m_kind = body.at("kind");
      m_n_ids = body.at("n_ids");
      for (const auto& shard : body.at("ranks"))
        m_shards.push_back({shard.at("rows"),
                            {shard.at("index_bytes"), shard.at("index_xxh3")},
                            {shard.at("ids_bytes"), shard.at("ids_xxh3")}});
      // It becomes a part of paths.
      if (m_tag.size() != 16 || m_tag.find_first_not_of("0123456789abcdef") != m_tag.npos)
        throw format_error(file, 0, "the manifest's tag is not of 16 digits");
    } catch (const nlohmann::json::exception& e) {
      throw format_error(file, 0, std::string("the manifest has other fields: ") + e.what());
    }
  }

  std::string text() const {
    auto ranks = nlohmann::json::array();
    for (const shard_record& shard : m_shards)
      ranks.push_back({{"rows", shard.rows},
                       {"index_bytes", shard.index.bytes},
                       {"index_xxh3", shard.index.hash},
                       {"ids_bytes", shard.ids.bytes},
                       {"ids_xxh3", shard.ids.hash}});
    const nlohmann::json body = {{"format_version", shard_format_version},
                                 {"library_version", ANNULUS_VERSION},
                                 {"tag", m_tag},
                                 {"kind", m_kind},
                                 {"n_ids", m_n_ids},
                                 {"ranks", std::move(ranks)}};
    return nlohmann::json{{"checksum", checksum_of_text(body.dump())}, {"shards", body}}.dump(1) + "\n";
  }

  const std::string& tag() const noexcept { return m_tag; }    ///< in the names of the files
  const std::string& kind() const noexcept { return m_kind; }  ///< of index
  std::int64_t n_ids() const noexcept { return m_n_ids; }
  const std::vector<shard_record>& shards() const noexcept { return m_shards; }

 private:
  static std::string checksum_of_text(const std::string& text) { return checksum_of(text.data(), text.size()); }

  std::string m_tag, m_kind;
  std::int64_t m_n_ids = 0;
  std::vector<shard_record> m_shards;
};

/// The files of all ranks that the text of a manifest of that name tells of; none where it is no manifest.
inline std::vector<std::string> files_of_manifest(const std::string& text, const std::string& name) {
  std::vector<std::string> files;
  try {
    const shard_manifest manifest(text, name);
    for (std::size_t r = 0; r < manifest.shards().size(); ++r) {
      const shard_names names(name + "." + manifest.tag(), static_cast<int>(r));
      files.push_back(names.index);
      files.push_back(names.ids);
    }
  } catch (const format_error&) {
  }
  return files;
}

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
