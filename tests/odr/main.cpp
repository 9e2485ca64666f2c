#include <cstddef>

std::size_t nearest_baseline();
std::size_t nearest_baseline_again();
std::size_t nearest_fast();
std::size_t nearest_wide();

int main() {
  bool right = nearest_baseline() == 2 && nearest_baseline_again() == 2 && nearest_fast() == 2;
#ifdef ANNULUS_HAS_X86_64_V3
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) right = right && nearest_wide() == 2;
#endif
  return right ? 0 : 1;
}
