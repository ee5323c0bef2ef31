// The reporter "cases": TAP with a line for each test case and the number of its
// assertions, where Catch2's own has one for each assertion. Lines have no
// numbers, which TAP allows, so those of several processes are one report.
#pragma once

#include <stdio.h>

#include <string>

#include "tests/catch.hh"

namespace test {

#if CATCH_VERSION_MAJOR >= 3
using Streaming = Catch::StreamingReporterBase;
using Taken = void;
inline const Catch::TestCaseInfo& info(const Catch::TestCaseStats& stats) { return *stats.testInfo; }
#else
class CasesReporter;
using Streaming = Catch::StreamingReporterBase<CasesReporter>;
using Taken = bool;
inline const Catch::TestCaseInfo& info(const Catch::TestCaseStats& stats) { return stats.testInfo; }
#endif

class CasesReporter : public Streaming {
 public:
  using Streaming::Streaming;

  static std::string getDescription() { return "TAP with a line for each test case"; }

  void assertionStarting(const Catch::AssertionInfo&) override {}

  // Of those that hold Catch2 tells only what SUCCEED says.
  Taken assertionEnded(const Catch::AssertionStats& stats) override {
    const Catch::AssertionResult& result = stats.assertionResult;
    if (!result.isOk()) {
      const auto& place = result.getSourceInfo();
      note(place.file + (":" + std::to_string(place.line)) + ": " + std::string(result.getExpressionInMacro()));
      if (result.hasExpandedExpression()) note("  is " + std::string(result.getExpandedExpression()));
    }
    for (const auto& message : stats.infoMessages) note("  " + message.message);
    return Taken(true);
  }

  // A case that asserts nothing shows nothing. What failed is told on descriptor 2,
  // which prove lets through.
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const auto& assertions = stats.totals.assertions;
    const std::string& title = info(stats).name;
    const bool ok = assertions.allOk() && assertions.total() > 0;
    fputs((ok ? notes_ : "# " + title + "\n" + notes_).c_str(), ok ? stdout : stderr);
    notes_.clear();
    printf("%sok - %s (%zu)\n", ok ? "" : "not ", title.c_str(), static_cast<std::size_t>(assertions.total()));
    fflush(stdout);
    Streaming::testCaseEnded(stats);
  }

 private:
  void note(const std::string& what) {
    notes_ += "#   ";
    for (const char c : what) (notes_ += c) += c == '\n' ? "#     " : "";
    notes_ += '\n';
  }

  std::string notes_;
};

CATCH_REGISTER_REPORTER("cases", CasesReporter)

}  // namespace test
