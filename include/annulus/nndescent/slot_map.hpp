#pragma once

/// \file
/// The names of an index's rows: an id for good, and a slot, the place in memory, for as long as the row is there.

#include <annulus/core/archive.hpp>
#include <annulus/core/neighbors.hpp>

#include <tuple>

namespace annulus::inline ANNULUS_ARCH::detail {

/// Which id stands in which slot. Ids are given out in their order; slots of erased rows are free for others once
/// nothing leads to them any more.
class slot_map {
 public:
  /// n ids that are to be placed.
  explicit slot_map(std::size_t n) : m_size(n), m_ids(n, no_id), m_slots(n, no_id), m_moved(n, 0) {}

  std::size_t size() const noexcept { return m_size; }  ///< rows that are there
  std::size_t n_ids() const noexcept { return m_slots.size(); }
  std::size_t n_slots() const noexcept { return m_ids.size(); }
  std::size_t n_erased() const noexcept { return m_n_erased; }  ///< slots without rows that are not free yet
  std::size_t n_used() const noexcept { return m_ids.size() - m_free.size(); }
  bool holds(id_type id) const noexcept { return id < m_slots.size() && m_slots[id] < m_ids.size(); }
  bool is_here(id_type slot) const noexcept { return m_ids[slot] < m_slots.size(); }
  id_type slot_of(id_type id) const noexcept { return m_slots[id]; }
  id_type id_of(id_type slot) const noexcept { return m_ids[slot]; }
  /// Whether the id was given another row: what others know of its distances is out of date.
  bool has_moved(id_type id) const noexcept { return m_moved[id] != 0; }
  void mark_moved(id_type id) noexcept { m_moved[id] = 1; }

  void resize_ids(std::size_t n) {
    m_moved.resize(n, 0);
    m_slots.resize(n, no_id);
  }
  void resize_slots(std::size_t n) { m_ids.resize(n, no_id); }
  void place(id_type id, id_type slot) noexcept {
    m_ids[slot] = id;
    m_slots[id] = slot;
  }
  /// The slot for the next row: a free one, or n_slots(), which does not exist yet.
  id_type next_slot() const noexcept { return m_free.empty() ? static_cast<id_type>(n_slots()) : m_free.back(); }
  /// A row under that id comes into the slot, which was the next.
  void take(id_type id, id_type slot) noexcept {
    if (!m_free.empty()) m_free.pop_back();
    place(id, slot);
    ++m_size;
  }
  void erase(id_type id) noexcept {
    m_ids[m_slots[id]] = no_id;
    m_slots[id] = no_id;
    --m_size;
    ++m_n_erased;
  }
  /// Undoes take, but for the counts: the slot is free again if it is below n_slots. Allocates nothing.
  void give_back(id_type id, std::size_t n_slots) noexcept {
    if (!holds(id)) return;
    const id_type slot = std::exchange(m_slots[id], no_id);
    m_ids[slot] = no_id;
    if (slot < n_slots) m_free.push_back(slot);
  }
  auto counts() noexcept { return std::tie(m_size, m_n_erased); }

  /// The slots without rows, lowest first.
  buffer<id_type> vacant() const {
    buffer<id_type> slots;
    for (id_type slot = 0; slot < n_slots(); ++slot)
      if (!is_here(slot)) slots.push_back(slot);
    return slots;
  }
  /// All vacant slots are free from now on.
  void set_free(buffer<id_type> vacant) noexcept {
    m_free = std::move(vacant);
    m_n_erased = 0;
  }

  std::size_t memory_bytes() const noexcept {
    return m_ids.memory_bytes() + m_slots.memory_bytes() + m_moved.memory_bytes() + m_free.memory_bytes();
  }

  std::string defect() const {
    const auto at = [](std::string_view name, std::size_t i) { return std::string(name) + " " + std::to_string(i); };
    std::size_t n_here = 0;
    for (std::size_t slot = 0; slot < n_slots(); ++slot) {
      if (m_ids[slot] == no_id) continue;
      if (m_ids[slot] >= n_ids() || m_slots[m_ids[slot]] != slot)
        return at("ids: slot", slot) + " holds id " + std::to_string(m_ids[slot]) + ", whose slot is another";
      ++n_here;
    }
    for (std::size_t id = 0; id < n_ids(); ++id) {
      if (m_slots[id] != no_id && (m_slots[id] >= n_slots() || m_ids[m_slots[id]] != id))
        return at("slots: id", id) + " is in slot " + std::to_string(m_slots[id]) + ", which holds another";
      if (m_moved[id] > 1) return at("moved: id", id) + " is neither 0 nor 1";
    }
    if (n_here != m_size) return at("n_rows:", m_size) + ", and " + std::to_string(n_here) + " slots hold rows";
    std::vector<bool> is_free(n_slots(), false);
    for (const id_type slot : m_free) {
      if (slot >= n_slots() || m_ids[slot] != no_id || is_free[slot])
        return at("free_slots: slot", slot) + " is not free, or twice";
      is_free[slot] = true;
    }
    if (n_here + m_free.size() + m_n_erased != n_slots())
      return at("n_erased:", m_n_erased) + ", of " + std::to_string(n_slots() - n_here) + " slots without rows, " +
             std::to_string(m_free.size()) + " free";
    return {};
  }

  template <class Self, class Archive>
  static void persist(Self& self, Archive& archive) {
    std::size_t n_ids = self.n_ids(), n_slots = self.n_slots(), n_free = self.m_free.size();
    archive("n_rows", self.m_size);
    archive("n_ids", n_ids);
    archive("n_slots", n_slots);
    archive("n_free", n_free);
    archive("n_erased", self.m_n_erased);
    constexpr std::size_t most = std::size_t{1} << 31;
    archive.expect(self.m_size <= n_slots && n_slots <= most && n_ids <= most, "has more rows than slots, or too many");
    archive("ids", self.m_ids, {n_slots});
    archive("slots", self.m_slots, {n_ids});
    archive("moved", self.m_moved, {n_ids});
    archive("free_slots", self.m_free, {n_free});
  }

 private:
  std::size_t m_size = 0, m_n_erased = 0;
  buffer<id_type> m_ids, m_slots;  ///< by slot and by id; no_id for what is not there
  buffer<std::uint8_t> m_moved;    ///< by id
  buffer<id_type> m_free;
};

}  // namespace annulus::inline ANNULUS_ARCH::detail
