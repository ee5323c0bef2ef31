#include "spf/base/list_file.hh"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "tests/catch.hh"
#include "tests/support/temp_dir.hh"

namespace {

// "number text" of each line that counts.
std::vector<std::string> lines(const spf::ListFile& list) {
  std::vector<std::string> result;
  list.each([&](const spf::ListLine& line) { result.push_back(std::to_string(line.number) + " " + std::string(line.text)); });
  return result;
}

}  // namespace

TEST_CASE("a list has the lines of its text, wherever the pieces end in which it is read") {
  const test::TempDir files;
  const std::string path = files.file("list");
  const std::size_t piece = spf::ListFile::longest_line;
  for (const std::size_t before : {std::size_t(0), piece - 3, piece - 2, piece - 1, piece, piece + 1})
    for (const std::string behind : {"", "\n", "\n\n", " \n", "#x", "\n# x\n", "\na\r\n b \n", "a", "\na"}) {
      INFO(before << " octets, then " << behind);
      std::string text;
      while (text.size() < before) text += std::string(std::min<std::size_t>(60, before - text.size() - 1), 'x') + '\n';
      text += "last" + behind;
      files.write("list", text);
      const auto opened = spf::ListFile::open(path.c_str(), 1 << 20);
      REQUIRE(opened.error == 0);
      CHECK(lines(opened.list) == lines(spf::ListFile(text)));
      CHECK(!lines(opened.list).empty());
      spf::ListFile held = opened.list;
      held.hold();
      CHECK(lines(held) == lines(opened.list));
    }
}

TEST_CASE("of a line that is too long the beginning is a line, and those behind it count on") {
  const test::TempDir files;
  const std::size_t piece = spf::ListFile::longest_line;
  for (const std::size_t length : {piece - 1, piece, piece + 1, 2 * piece, 5 * piece + 7}) {
    INFO(length);
    files.write("list", "first\n" + std::string(length, 'x') + "\n\nfourth\n");
    const auto found = lines(spf::ListFile::open(files.file("list").c_str(), 1 << 20).list);
    REQUIRE(found.size() == 3);
    CHECK(found[0] == "1 first");
    CHECK(found[1].substr(2) == std::string(std::min(length, piece), 'x'));
    CHECK(found[2] == "4 fourth");
  }
}

TEST_CASE("a list can be read again, is not the file that takes its place, and lasts with its copies") {
  const test::TempDir files;
  files.write("list", "a\nb\n");
  spf::ListFile copy;
  {
    const auto opened = spf::ListFile::open(files.file("list").c_str(), 100);
    CHECK(lines(opened.list) == std::vector<std::string>{"1 a", "2 b"});
    copy = opened.list;
  }
  files.write("new", "c\n");
  std::filesystem::rename(files.file("new"), files.file("list"));
  CHECK(lines(copy) == std::vector<std::string>{"1 a", "2 b"});
  CHECK(lines({}).empty());
  copy.hold();
  CHECK(lines(copy) == std::vector<std::string>{"1 a", "2 b"});
}

TEST_CASE("what is no list to read says why") {
  const test::TempDir files;
  const auto error = [](const std::string& path, std::size_t most) { return spf::ListFile::open(path.c_str(), most).error; };
  files.write("five", "a\nb\nc");
  CHECK(error(files.file("five"), 5) == 0);
  CHECK(error(files.file("five"), 4) == EFBIG);
  CHECK(error(files.file("none"), 5) == ENOENT);
  CHECK(error(files.path(), 5) == EISDIR);
  CHECK(error("/dev/null", 5) == 0);
  CHECK(error("/dev/zero", 5) == EFBIG);
  REQUIRE(mkfifo(files.file("pipe").c_str(), 0600) == 0);
  CHECK(error(files.file("pipe"), 5) == 0);  // nobody writes into it
  const auto memory = spf::ListFile::open("/proc/self/mem", 5);  // where nothing is at 0
  REQUIRE(memory.error == 0);
  CHECK_THROWS_AS(lines(memory.list), std::system_error);
}
