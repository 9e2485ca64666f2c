#include <Eigen/Core>
#include <annulus/version.hpp>
#include <xsimd/xsimd.hpp>

int main() { return ANNULUS_VERSION_MAJOR == 0 ? 0 : 1; }
