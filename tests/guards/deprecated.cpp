#include <annulus/core/base/config.hpp>

namespace {

int successor() { return 1; }
ANNULUS_DEPRECATED("1.5", "successor") int predecessor() { return successor(); }

}  // namespace

int main() { return predecessor(); }
