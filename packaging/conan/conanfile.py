"""annulus for Conan 2, from the clone that this file lies in: conan create packaging/conan"""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class AnnulusConan(ConanFile):
    name = "annulus"
    description = "Nearest neighbours in C++20, exact and approximate"
    license = "MIT"
    topics = ("nearest-neighbors", "ann", "similarity-search", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"index_files": [True, False], "liburing": [True, False], "zlib": [True, False]}
    default_options = {"index_files": True, "liburing": False, "zlib": False}
    no_copy_source = True

    def set_version(self):
        header = load(self, Path(self.recipe_folder, "../../include/annulus/version.hpp"))
        self.version = ".".join(re.findall(r"define ANNULUS_VERSION_[A-Z]+ (\d+)", header))

    def export_sources(self):
        for pattern in "include/*", "LICENSE":
            copy(self, pattern, Path(self.recipe_folder, "../.."), self.export_sources_folder)

    def config_options(self):
        if self.settings.os != "Linux":
            del self.options.liburing

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("eigen/[>=3.4.0 <6]", transitive_headers=True)
        self.requires("xsimd/[>=8.1.0]", transitive_headers=True)
        if self.options.index_files:
            self.requires("nlohmann_json/[>=3.9 <4]", transitive_headers=True)
            self.requires("xxhash/[>=0.8 <1]", transitive_headers=True)
        if self.options.get_safe("liburing"):
            self.requires("liburing/[>=2.2 <3]", transitive_headers=True, transitive_libs=True)
        if self.options.zlib:
            self.requires("zlib/[>=1.2.11 <2]", transitive_headers=True, transitive_libs=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "*", Path(self.source_folder, "include"), Path(self.package_folder, "include"))
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
        self.add_target("annulus", ["eigen::eigen", "xsimd::xsimd"])
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.components["annulus"].system_libs = ["pthread"]
        if self.options.index_files:
            self.add_target("index_files", ["annulus", "nlohmann_json::nlohmann_json", "xxhash::xxhash"])
            liburing = ["liburing::liburing"] if self.options.get_safe("liburing") else []
            self.add_target("disk", ["index_files", *liburing])
            self.cpp_info.components["disk"].defines = ["ANNULUS_WITH_LIBURING"] if liburing else []
        if self.options.zlib:
            self.add_target("zlib", ["annulus", "zlib::zlib"])

    def add_target(self, name, requires):
        """A component by the name that it has in an installed annulus."""
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"annulus::{name}")
        component.set_property("pkg_config_name", name if name == "annulus" else f"annulus-{name}")
        component.requires = requires
        component.bindirs = component.libdirs = []
