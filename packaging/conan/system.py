"""Headers that the system has, as a package: takes the place of ConanCenter's where that is not reached (test.sh)."""

from pathlib import Path

from conan import ConanFile
from conan.tools.files import copy

# Of each package: where its headers are, which, and what CMake calls it.
packages = {
    "eigen": ("/usr/include/eigen3", ["Eigen/*", "signature_of_eigen3_matrix_library"], "Eigen3", "Eigen3::Eigen"),
    "xsimd": ("/usr/include", ["xsimd/*"], "xsimd", "xsimd::xsimd"),
    "nlohmann_json": ("/usr/include", ["nlohmann/*"], "nlohmann_json", "nlohmann_json::nlohmann_json"),
    "xxhash": ("/usr/include", ["xxhash.h", "xxh3.h"], "xxHash", "xxHash::xxhash"),
}


class SystemHeaders(ConanFile):
    package_type = "header-library"

    def package(self):
        folder, patterns, _, _ = packages[self.name]
        for pattern in patterns:
            copy(self, pattern, folder, Path(self.package_folder, "include"))

    def package_info(self):
        _, _, file_name, target = packages[self.name]
        self.cpp_info.set_property("cmake_file_name", file_name)
        self.cpp_info.set_property("cmake_target_name", target)
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
