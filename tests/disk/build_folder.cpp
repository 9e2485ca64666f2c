#include <annulus/disk/build_folder.hpp>

#include "../io/scratch.hpp"

namespace {

using annulus::detail::build_folder;

const annulus::detail::header_metadata some_build{{"rows", "7"}, {"seed", "42"}};

void append(build_folder& folder, const std::string& name, const std::string& text) {
  folder.append(name, text.data(), text.size());
}
std::string text_of(const build_folder& folder, const std::string& name) {
  const annulus::detail::mapped_values<char> values(folder, name);
  return {values.all().begin(), values.all().end()};
}

}  // namespace

TEST_CASE("a build that is taken up has what was committed and no more", "[build_folder]") {
  const scratch_folder scratch;
  {
    build_folder folder(scratch / "build", some_build, false);
    append(folder, "a", "one");
    append(folder, "b", "gone");
    folder.set("steps", 1);
    folder.commit();
    append(folder, "a", " two");
    folder.drop("b");
    folder.commit();
    append(folder, "a", " three");
    append(folder, "c", "never");
    folder.set("steps", 2);
  }
  {
    build_folder folder(scratch / "build", some_build, false);
    CHECK(folder.number("steps") == 1);
    CHECK(text_of(folder, "a") == "one two");
    CHECK(folder.bytes("b") == 0);
    CHECK(folder.bytes("c") == 0);
    CHECK(folder.total_bytes() == 7);
    append(folder, "a", " four");
    folder.commit();
  }
  CHECK(text_of(build_folder(scratch / "build", some_build, false), "a") == "one two four");
}

TEST_CASE("a build that is restarted has nothing", "[build_folder]") {
  const scratch_folder scratch;
  {
    build_folder folder(scratch / "build", some_build, false);
    append(folder, "a", "one");
    folder.commit();
  }
  const build_folder folder(scratch / "build", {{"rows", "8"}}, true);
  CHECK(folder.total_bytes() == 0);
  CHECK(!std::filesystem::exists(scratch / "build" / "a.part"));
}

TEST_CASE("the folder of a build leaves the files of others alone", "[build_folder]") {
  const scratch_folder scratch;
  std::filesystem::create_directories(scratch / "build");
  write_bytes(scratch / "build" / "notes.txt", "mine");
  build_folder folder(scratch / "build", some_build, false);
  append(folder, "a", "one");
  folder.commit();
  folder.drop_all();
  folder.commit();
  folder.remove();
  CHECK(bytes_of(scratch / "build" / "notes.txt") == "mine");
  CHECK(!std::filesystem::exists(scratch / "build" / "journal"));
  CHECK(!std::filesystem::exists(scratch / "build" / "a.part"));
}

TEST_CASE("a folder that a build is at work in is refused, and left as it is", "[build_folder]") {
  const scratch_folder scratch;
  const auto complaint = [&](bool restart) {
    return message_or_nothing<std::invalid_argument>([&] { build_folder(scratch / "build", some_build, restart); });
  };
  {
    build_folder folder(scratch / "build", some_build, false);
    append(folder, "a", "one");
    CHECK(complaint(false).find("another build is at work in it") != std::string::npos);
    CHECK(complaint(true).find("another build is at work in it") != std::string::npos);
    append(folder, "a", " two");
    folder.commit();
    CHECK(text_of(folder, "a") == "one two");
  }
  CHECK(complaint(false) == "nothing");
  build_folder folder(scratch / "build", some_build, false);
  folder.drop_all();
  folder.commit();
  folder.remove();
  CHECK(!std::filesystem::exists(scratch / "build"));
}

TEST_CASE("files named as those of a build where there is none are left alone", "[build_folder]") {
  const scratch_folder scratch;
  std::filesystem::create_directories(scratch / "build");
  write_bytes(scratch / "build" / "film.part", "mine");
  for (const bool restart : {false, true})
    CHECK(message_or_nothing<std::invalid_argument>([&] {
            build_folder(scratch / "build", some_build, restart);
          }).find("has film.part, which is of no build") != std::string::npos);
  CHECK(bytes_of(scratch / "build" / "film.part") == "mine");
}

TEST_CASE("a journal that is damaged is refused", "[build_folder]") {
  const scratch_folder scratch;
  build_folder(scratch / "build", some_build, false).commit();
  std::string journal = bytes_of(scratch / "build" / "journal");
  const std::size_t seed = journal.find("42");
  REQUIRE(seed != std::string::npos);
  journal[seed] = '5';
  write_bytes(scratch / "build" / "journal", journal);
  CHECK_THROWS_AS(build_folder(scratch / "build", some_build, false), annulus::format_error);
}
