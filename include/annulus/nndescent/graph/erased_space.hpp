#pragma once

/// \file
/// A space of ranks whose type is erased at lists and panels of rows: trees, descent, diversification and changes of a
/// graph are compiled once, not once for each metric, storage and type of rows. A call through a pointer a list costs
/// nothing that can be measured; one a pair would.

#include <annulus/core/base/function_ref.hpp>
#include <annulus/nndescent/graph/joined_ids.hpp>

#include <memory>

#include <annulus/core/base/macros_off.hpp>

namespace annulus { inline namespace ANNULUS_ARCH { namespace detail {

/// A space (code_space, row_space, walk_space) that lives elsewhere; what only spaces with a joiner have is for them.
class erased_space {
  struct ranker_base {
    virtual ~ranker_base() = default;
    virtual void from(id_type a, std::span<const id_type> ids, float* out) = 0;
    virtual void margins(id_type a, id_type b, std::span<const id_type> ids, float* out) = 0;
  };
  using panel_function = function_ref<void(std::size_t, std::size_t, const float*, panel_hits)>;
  struct joiner_base {
    virtual ~joiner_base() = default;
    virtual void gather(const joined_ids& members) = 0;
    virtual void pairs_below(const float* thresholds, panel_function f) = 0;
  };

  template <class Space>
  struct ranker_of final : ranker_base {
    explicit ranker_of(const Space& space) : ranker(space) {}
    void from(id_type a, std::span<const id_type> ids, float* out) override { ranker.from(a, ids, out); }
    void margins(id_type a, id_type b, std::span<const id_type> ids, float* out) override {
      ranker.margins(a, b, ids, out);
    }
    typename Space::ranker ranker;
  };
  template <class Space>
  struct joiner_of final : joiner_base {
    explicit joiner_of(const Space& space) : joiner(space) {}
    void gather(const joined_ids& members) override { joiner.gather(members); }
    void pairs_below(const float* thresholds, panel_function f) override { joiner.pairs_below(thresholds, f); }
    typename Space::joiner joiner;
  };

 public:
  template <class Space>
    requires(!std::same_as<std::remove_const_t<Space>, erased_space>)
  explicit erased_space(Space& space)
      : m_space(&space),
        m_size([](const void* s) { return static_cast<const Space*>(s)->size(); }),
        m_make_ranker([](const void* s) -> std::unique_ptr<ranker_base> {
          return std::make_unique<ranker_of<Space>>(*static_cast<const Space*>(s));
        }) {
    if constexpr (requires { typename Space::joiner; } && !std::is_const_v<Space>) {
      m_reorder = [](const void* s, std::span<const id_type> order) {
        static_cast<Space*>(const_cast<void*>(s))->reorder(order);
      };
      m_make_joiner = [](const void* s) -> std::unique_ptr<joiner_base> {
        return std::make_unique<joiner_of<Space>>(*static_cast<const Space*>(s));
      };
    }
  }

  std::size_t size() const { return m_size(m_space); }
  /// Row i becomes what row order[i] was.
  void reorder(std::span<const id_type> order) { m_reorder(m_space, order); }

  /// One row against many; holds scratch. A copy has its own.
  class ranker {
   public:
    explicit ranker(const erased_space& space) : m_space(&space), m_ranker(space.m_make_ranker(space.m_space)) {}
    ranker(const ranker& other) : ranker(*other.m_space) {}
    ranker(ranker&&) noexcept = default;

    void from(id_type a, std::span<const id_type> ids, float* out) { m_ranker->from(a, ids, out); }
    void margins(id_type a, id_type b, std::span<const id_type> ids, float* out) { m_ranker->margins(a, b, ids, out); }

   private:
    const erased_space* m_space;
    std::unique_ptr<ranker_base> m_ranker;
  };

  /// All pairs of a few rows; holds their panels.
  class joiner {
   public:
    explicit joiner(const erased_space& space) : m_joiner(space.m_make_joiner(space.m_space)) {}
    void gather(const joined_ids& members) { m_joiner->gather(members); }
    void pairs_below(const float* thresholds, panel_function f) { m_joiner->pairs_below(thresholds, f); }

   private:
    std::unique_ptr<joiner_base> m_joiner;
  };

 private:
  const void* m_space;
  std::size_t (*m_size)(const void*);
  std::unique_ptr<ranker_base> (*m_make_ranker)(const void*);
  void (*m_reorder)(const void*, std::span<const id_type>) = nullptr;
  std::unique_ptr<joiner_base> (*m_make_joiner)(const void*) = nullptr;
};

}}}  // namespace annulus::ANNULUS_ARCH::detail

#include <annulus/core/base/macros_on.hpp>
