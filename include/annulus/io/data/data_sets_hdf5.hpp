#pragma once

/// \file
/// HDF5's files: data sets of one or two dimensions whose claims are checked against the size of the file. Opt-in:
/// annulus.hpp leaves this header out, and a program that includes it links HDF5's C library, 1.10 or later.

#include <annulus/io/data/file_rows.hpp>

#include <hdf5.h>

#include <array>
#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// An identifier of HDF5, closed by the destructor.
class hdf5_id {
 public:
  hdf5_id(hid_t id, herr_t (*close)(hid_t)) noexcept : m_id(id), m_close(close) {}
  hdf5_id(const hdf5_id&) = delete;
  hdf5_id& operator=(const hdf5_id&) = delete;
  ~hdf5_id() {
    if (m_id >= 0) m_close(m_id);
  }
  operator hid_t() const noexcept { return m_id; }

 private:
  hid_t m_id;
  herr_t (*m_close)(hid_t);
};

/// Silences the error messages of HDF5 while it lives.
class hdf5_silence {
 public:
  hdf5_silence() noexcept {
    H5Eget_auto2(H5E_DEFAULT, &m_print, &m_data);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  hdf5_silence(const hdf5_silence&) = delete;
  hdf5_silence& operator=(const hdf5_silence&) = delete;
  ~hdf5_silence() { H5Eset_auto2(H5E_DEFAULT, m_print, m_data); }

 private:
  H5E_auto2_t m_print = nullptr;
  void* m_data = nullptr;
};

class hdf5_file {
 public:
  explicit hdf5_file(const std::filesystem::path& path)
      : m_input(path), m_id(H5Fopen(name_of_path(path).c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose) {
    if (m_id < 0)
      fail_unrecognised(m_input.name(), "HDF5", 0, "this is no HDF5 file that can be opened: ", cause_of_hdf5().data());
  }

  hid_t id() const noexcept { return m_id; }
  std::uint64_t size() const noexcept { return m_input.size(); }

  /// The offset is 0, as HDF5 does not tell it.
  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    m_input.fail(0, reason...);
  }

  /// Adds the innermost cause of the last call's failure.
  template <class... Reason>
  [[noreturn]] void fail_of_hdf5(const Reason&... reason) const {
    fail(reason..., ": ", cause_of_hdf5().data());
  }

  /// An attribute of the file that is a whole number; 0 where the file lacks it.
  std::int64_t number(const char* name) const {
    if (H5Aexists(m_id, name) <= 0) return 0;
    const hdf5_id attribute(H5Aopen(m_id, name, H5P_DEFAULT), H5Aclose);
    const hdf5_id type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
    std::int64_t value = 0;
    if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attribute, H5T_NATIVE_INT64, &value) < 0)
      fail("attribute '", name, "' is not a whole number");
    return value;
  }

  /// The text of an attribute of the file, one of fixed or of variable length.
  std::string text(const char* name) const {
    const hdf5_id attribute(H5Aopen(m_id, name, H5P_DEFAULT), H5Aclose);
    if (attribute < 0) fail_of_hdf5("attribute '", name, "' cannot be opened");
    const hdf5_id type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
      fail("attribute '", name, "' is not a string");
    if (H5Tis_variable_str(type) > 0) {
      char* read = nullptr;
      if (H5Aread(attribute, type, &read) < 0 || read == nullptr) fail_of_hdf5("attribute '", name, "' cannot be read");
      const std::unique_ptr<char, herr_t (*)(void*)> text(read, H5free_memory);
      return text.get();
    }
    std::array<char, longest_text + 1> read{};
    if (H5Tget_size(type) > longest_text) fail("attribute '", name, "' is longer than ", longest_text, " bytes");
    if (H5Aread(attribute, type, read.data()) < 0) fail_of_hdf5("attribute '", name, "' cannot be read");
    const std::string text = read.data();
    return text.substr(0, text.find_last_not_of(' ') + 1);
  }

 private:
  static constexpr std::size_t longest_text = 256;

  static std::array<char, 256> cause_of_hdf5() noexcept {
    std::array<char, 256> cause{"unknown cause"};
    const auto keep_first = [](unsigned n, const H5E_error2_t* error, void* to) -> herr_t {
      if (n == 0 && error->desc != nullptr) std::snprintf(static_cast<char*>(to), 256, "%s", error->desc);
      return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, cause.data());
    return cause;
  }

  input_file m_input;  // checks that it is a regular file
  hdf5_id m_id;
};

/// Whether values are bools as h5py writes those of numpy: an enumeration of FALSE and TRUE in a byte.
inline bool is_hdf5_bool(hid_t type) {
  if (H5Tget_class(type) != H5T_ENUM || H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2) return false;
  for (const unsigned member : {0u, 1u}) {
    const std::unique_ptr<char, herr_t (*)(void*)> name(H5Tget_member_name(type, member), H5free_memory);
    std::uint8_t value = 2;
    if (name == nullptr || H5Tget_member_value(type, member, &value) < 0 || value != member ||
        name.get() != std::string_view(member == 0 ? "FALSE" : "TRUE"))
      return false;
  }
  return true;
}

/// A data set of two dimensions, or of one as a single column, whose claims the file justifies.
class hdf5_rows {
 public:
  hdf5_rows(const hdf5_file& file, const char* name, int n_dimensions = 2)
      : m_file(file),
        m_name(name),
        m_n_dimensions(n_dimensions),
        m_id(open(file, name), H5Dclose),
        m_space(H5Dget_space(m_id), H5Sclose) {
    const hdf5_id type(H5Dget_type(m_id), H5Tclose);
    const auto kind = H5Tget_class(type);
    m_is_whole = kind != H5T_FLOAT;
    if (kind != H5T_FLOAT && kind != H5T_INTEGER && !is_hdf5_bool(type))
      fail("has values that are neither floats nor integers nor bools");
    if (const int n = H5Sget_simple_extent_ndims(m_space); n != n_dimensions)
      fail("has ", n, " dimensions, not ", n_dimensions,
           ": read_ann_benchmarks_sets reads sets, as of jaccard, which have 1");
    std::array<hsize_t, 2> shape{0, 1};
    H5Sget_simple_extent_dims(m_space, shape.data(), nullptr);
    m_rows = shape[0], m_cols = shape[1];
    check_claims(H5Tget_size(type));
  }

  std::size_t rows() const noexcept { return m_rows; }
  std::size_t cols() const noexcept { return m_cols; }
  bool is_whole() const noexcept { return m_is_whole; }  ///< integers or bools

  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    m_file.fail("data set '", m_name, "' ", reason...);
  }

  /// Calls consume(values, first, n) for blocks of rows of about 4 MB, converted to T.
  template <class T, class Consume>
  void read(std::size_t first, std::size_t count, hid_t type, transfer& transfer, Consume consume) const {
    if (count == 0 || m_cols == 0) return;
    // Whole chunks, so that each is decompressed once.
    const std::size_t at_least = std::max<std::size_t>((std::size_t{4} << 20) / (m_cols * sizeof(T)), 1);
    const std::size_t piece = (at_least + m_chunk_rows - 1) / m_chunk_rows * m_chunk_rows;
    std::vector<T> values(std::min(count, piece) * m_cols);
    for (std::size_t done = 0; done < count;) {
      const std::size_t at = first + done, n = std::min(count - done, piece - at % m_chunk_rows);
      const std::array<hsize_t, 2> start{at, 0}, size{n, m_cols};
      const hdf5_id memory(H5Screate_simple(m_n_dimensions, size.data(), nullptr), H5Sclose);
      if (H5Sselect_hyperslab(m_space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) < 0 ||
          H5Dread(m_id, type, memory, m_space, H5P_DEFAULT, values.data()) < 0)
        m_file.fail_of_hdf5("data set '", m_name, "' cannot be read");
      consume(std::span<const T>(values.data(), n * m_cols), done);
      transfer.advance(n * m_cols * sizeof(float));
      done += n;
    }
  }

 private:
  static constexpr std::uint64_t most_deflated = 1032;  // deflate compresses a byte to no less than 1/1032

  static hid_t open(const hdf5_file& file, const char* name) {
    H5L_info_t link;
    if (H5Lget_info(file.id(), name, &link, H5P_DEFAULT) < 0) file.fail_of_hdf5("there is no data set '", name, "'");
    if (link.type != H5L_TYPE_HARD)
      file.fail("data set '", name, "' is a soft or external link; only hard links are read");
    const hid_t id = H5Dopen2(file.id(), name, H5P_DEFAULT);
    if (id < 0) file.fail_of_hdf5("data set '", name, "' cannot be opened");
    return id;
  }

  void check_claims(std::size_t value_bytes) {
    const hdf5_id layout(H5Dget_create_plist(m_id), H5Pclose);
    const auto kind = H5Pget_layout(layout);
    if ((kind != H5D_CONTIGUOUS && kind != H5D_CHUNKED && kind != H5D_COMPACT) || H5Pget_external_count(layout) != 0)
      fail("is not stored in this file");
    const std::uint64_t stored = H5Dget_storage_size(m_id);
    if (stored > m_file.size()) fail("claims ", stored, " bytes, the file has ", m_file.size());
    const std::uint64_t most = stored * (kind == H5D_CHUNKED ? most_deflated : 1);
    const auto is_too_large = [&](std::uint64_t rows, std::uint64_t cols) {
      return rows > 0 && cols > 0 && cols > most / value_bytes / rows;
    };
    if (is_too_large(m_rows, m_cols))
      fail("claims ", m_rows, " x ", m_cols, " values of ", value_bytes, " bytes, ", stored, " bytes are stored");
    if (kind != H5D_CHUNKED || m_rows == 0) return;
    std::array<hsize_t, 2> chunk{0, 1};
    if (H5Pget_chunk(layout, m_n_dimensions, chunk.data()) != m_n_dimensions || chunk[0] == 0 ||
        is_too_large(chunk[0], chunk[1]))
      fail("has chunks that do not fit it");
    m_chunk_rows = chunk[0];
  }

  const hdf5_file& m_file;
  const char* m_name;
  int m_n_dimensions;
  bool m_is_whole = false;
  hdf5_id m_id, m_space;
  std::size_t m_rows = 0, m_cols = 0, m_chunk_rows = 1;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
