// What child.cc reads, writes and records with. Nothing here allocates much or
// needs a library to start up: the child is also the benchmark's server.
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace child {

inline std::string_view setting(const char* name, const char* usual = "") {
  const char* value = getenv(name);
  return value ? value : usual;
}

// The text before the first `separator`, which is taken off `rest` with it.
inline std::string_view take(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const std::string_view taken = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view() : rest.substr(at + 1);
  return taken;
}

inline std::string escape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    const char c = text[++i];
    result += c == 'r' ? '\r' : c == 'n' ? '\n' : c;
    if (c == 'x' && i + 2 < text.size()) {
      result.back() = static_cast<char>(strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    }
  }
  return result;
}

inline void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(fd, bytes.data(), bytes.size());
    if (written <= 0) return;
    bytes.remove_prefix(written);
  }
}

inline void reply(std::string_view text) {
  static const bool split = getenv("CHILD_SPLIT");
  if (!split) return write_all(1, text);
  for (std::size_t i = 0; i < text.size(); ++i) write_all(1, text.substr(i, 1));
}

// The record: lines of "PID KIND TEXT", octets outside 32-126 and % as %XX.

inline bool recording() {
  static const bool on = setting("CHILD_RECORD", "/dev/null") != "/dev/null";
  return on;
}

inline std::string record_line(const char* kind, std::string_view text) {
  std::string line = std::to_string(getpid()) + ' ' + kind + ' ';
  for (const unsigned char c : text) {
    if (c >= 32 && c < 127 && c != '%') {
      line += c;
      continue;
    }
    char hex[4];
    snprintf(hex, sizeof hex, "%%%02x", c);
    line += hex;
  }
  return line + '\n';
}

inline void append_to_record(const std::string& lines) {
  const int fd = open(getenv("CHILD_RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0644);
  write_all(fd, lines);
  close(fd);
}

inline void record(const char* kind, std::string_view text) {
  if (recording()) append_to_record(record_line(kind, text));
}

inline void record_start(int argc, char** argv) {
  if (!recording()) return;
  std::string lines;
  for (int i = 0; i < argc; ++i) lines += record_line("argument", argv[i]);
  for (char** e = environ; *e; ++e) lines += record_line("variable", *e);
  append_to_record(lines);
}

// Descriptor 0, buffered.
class Input {
 public:
  bool ready() const { return start_ < size_; }
  std::string_view bytes() const { return {buffer_ + start_, size_ - start_}; }
  void clear() { start_ = size_ = 0; }
  void skip(std::size_t count) { start_ += count; }

  // Reads once more behind what is there; false at end of file. The buffer
  // must have room.
  bool fill() {
    if (start_ == size_) clear();
    if (start_) {
      memmove(buffer_, buffer_ + start_, size_ - start_);
      size_ -= start_;
      start_ = 0;
    }
    const auto count = read(0, buffer_ + size_, sizeof buffer_ - size_);
    if (count > 0) size_ += count;
    return count > 0;
  }

  // The next line without LF and a CR before it, valid until the next call;
  // false at end of file, even with part of a line there.
  bool line(std::string_view& line) {
    for (;;) {
      const std::string_view all = bytes();
      const auto newline = all.find('\n');
      if (newline != all.npos) {
        line = all.substr(0, newline);
        if (line.ends_with('\r')) line.remove_suffix(1);
        skip(newline + 1);
        return true;
      }
      if (all.size() == sizeof buffer_) clear();  // no line is that long
      if (!fill()) return false;
    }
  }

  // Whether more has come already, end of file not counted.
  bool more_now() const {
    int count = 0;
    ioctl(0, FIONREAD, &count);
    return ready() || count > 0;
  }

 private:
  char buffer_[65536];
  std::size_t start_ = 0, size_ = 0;
};

inline Input input;

// One message, dots un-stuffed; its text is kept only for the record.
class Message {
 public:
  enum End { complete, cut, bare_lf };

  explicit Message(bool keeps_text) : keeps_text_(keeps_text) {}

  // Its end is CRLF.CRLF, or .CRLF at once, and nothing else.
  End read(Input& in) {
    enum { line_start, dot, dot_cr, inside, cr } state = line_start;
    while (in.ready() || in.fill()) {
      const std::string_view bytes = in.bytes();
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (state == inside) {  // most octets are passed over here
          const std::size_t from = i;
          const void* found = memchr(bytes.data() + i, '\n', bytes.size() - i);
          i = found ? static_cast<const char*>(found) - bytes.data() : bytes.size();
          keep(bytes.substr(from, i - from));
          if (i > from && bytes[i - 1] == '\r') state = cr;
          if (i == bytes.size()) break;
        }
        const char c = bytes[i];
        if (c == '\n' && state == dot_cr) {
          in.skip(i + 1);
          return complete;
        }
        if (c == '\n' && state != cr) return bare_lf;
        if (state == line_start && c == '.') {
          state = dot;
          continue;
        }
        if (state == dot && c == '\r') {
          state = dot_cr;
          continue;
        }
        if (state == dot_cr) keep("\r");
        keep({&c, 1});
        state = c == '\n' ? line_start : c == '\r' ? cr : inside;
      }
      in.clear();
    }
    return cut;
  }

  // LF ends a line with or without CR before it, if `cr_too` CR alone as well,
  // and a line of one dot the message.
  End read_lax(Input& in, bool cr_too) {
    std::string line;
    while (in.ready() || in.fill()) {
      const char c = in.bytes()[0];
      in.skip(1);
      if (c == '\n' && line.ends_with('\r')) line.pop_back();
      if (c == '\n' || (c == '\r' && cr_too && !next_is_lf(in))) {
        if (line == ".") return complete;
        keep(std::string_view(line).substr(line.starts_with('.')));
        keep("\r\n");
        line.clear();
      } else {
        line += c;
      }
    }
    return cut;
  }

  const std::string& text() const { return text_; }

 private:
  static bool next_is_lf(Input& in) {
    return (in.ready() || in.fill()) && in.bytes()[0] == '\n';
  }

  void keep(std::string_view bytes) {
    if (keeps_text_) text_.append(bytes);
  }

  const bool keeps_text_;
  std::string text_;
};

}  // namespace child
