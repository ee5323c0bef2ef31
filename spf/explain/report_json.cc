#include "spf/explain/report_json.hh"

#include <algorithm>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace spf {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

// One key a line, for people who look. In ASCII no octet does harm to a terminal.
std::string dumped(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + '\n';
}

Json tree(const std::vector<TreeLine>& lines, const char* label) {
  Json result = Json::array();
  for (const TreeLine& line : lines)
    result.push_back({{"depth", line.depth}, {label, text_or_null(line.label)}, {"text", line.text}});
  return result;
}

void put_verdict(Json& json, const Verdict& verdict) {
  json["result"] = name(verdict.result);
  json["identity"] = name(verdict.identity);
  json["domain"] = text_or_null(verdict.domain);
  json["mechanism"] = verdict.mechanism ? Json(*verdict.mechanism) : Json();
  json["local_policy"] = verdict.local_policy;
  json["problem"] = text_or_null(verdict.problem);
  json["lookups"] = verdict.lookups;
  json["voids"] = verdict.voids;
}

Json level_source(const ReportedLevel& level) {
  return {{"setting", level.setting},
          {"source", level.source},
          {"line", level.rule.empty() ? Json() : Json(level.line)},
          {"rule", text_or_null(level.rule)}};
}

Json replies(const std::vector<LevelReplies>& levels) {
  Json result = Json::array();
  for (const auto& [first, last, answers] : levels) {
    Json commands = Json::array();
    for (const auto& [command, lines] : answers)
      commands.push_back({{"command", command}, {"reply", lines}});
    result.push_back({{"first_level", first}, {"last_level", last}, {"answers", std::move(commands)}});
  }
  return result;
}

}  // namespace

std::string json_of(const CheckReport& report) {
  const auto& [verdict, helo] = report.judgement;
  Json json;
  json["client"] = report.query.client.text();
  json["helo"] = report.query.helo;
  json["sender"] = report.query.sender;
  json["recipient"] = report.recipient ? Json(*report.recipient) : Json();
  put_verdict(json, verdict);
  json["milliseconds"] = verdict.milliseconds;
  json["helo_check"] = nullptr;
  if (helo) put_verdict(json["helo_check"], *helo);
  json["level"] = report.level.level;
  json["level_source"] = level_source(report.level);
  json["policy"] = report.exemption ? text_or_null(report.exemption->reason) : Json();
  json["policy_trouble"] = report.exemption && report.exemption->trouble ? Json(report.exemption->problem) : Json();
  json["shadow_code"] = report.shadow_code ? Json(*report.shadow_code) : Json();
  json["replies"] = replies(report.replies);
  Json& by_spfto = json["recipient_replies"] = Json::array();
  for (const auto& [level, decision] : report.recipient_replies)
    by_spfto.push_back({{"level", level}, {"code", code(decision)}});
  json["header"] = report.header;
  Json& environment = json["environment"] = Json::object();
  for (const std::string& variable : report.environment) {
    const std::size_t equals = variable.find('=');
    environment[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  json["warnings"] = report.warnings;
  json["evaluation"] = tree(report.evaluation, "outcome");
  json["helo_evaluation"] = tree(report.helo_evaluation, "outcome");
  return dumped(json);
}

std::string json_of(const RecordReport& report) {
  const RecordJudgement& judgement = report.judgement;
  const Cost& cost = judgement.cost;
  Json json;
  json["grade"] = name(judgement.grade);
  json["domain"] = report.domain;
  json["record"] = text_or_null(judgement.record);
  json["octets"] = judgement.octets;
  json["lookups"] = cost.terms;
  json["voids"] = std::max(cost.voids4, cost.voids6);
  json["possible_voids"] = cost.possible_voids;
  json["at_least"] = cost.more;
  json["milliseconds"] = report.took.count();
  Json& remarks = json["remarks"] = Json::array();
  for (const std::string& text : judgement.errors) remarks.push_back({{"grade", "error"}, {"text", text}});
  for (const std::string& text : judgement.warnings) remarks.push_back({{"grade", "warning"}, {"text", text}});
  json["evaluation"] = tree(judgement.lines, "cost");
  return dumped(json);
}

std::string json_of(const ConfigReport& report) {
  Json json;
  json["grade"] = name(report.grade);
  json["errors"] = report.errors;
  json["warnings"] = report.warnings;
  Json& settings = json["settings"] = Json::array();
  for (const Setting& setting : report.settings)
    settings.push_back({{"name", setting.name},
                        {"value", setting.problem.empty() ? Json(setting.value) : Json()},
                        {"source", setting.source},
                        {"problem", text_or_null(setting.problem)}});
  json["level"] = report.level ? Json(*report.level) : Json();
  json["host"] = report.receiver;
  json["tls"] = report.tls;
  Json& certificate = json["certificate"] = Json();
  if (report.certificate) {
    const auto& [from, until, names] = *report.certificate;
    certificate = {{"hosts", names}, {"from", utc_text(from)}, {"until", utc_text(until)}};
  }
  json["name_servers"] = report.name_servers;
  return dumped(json);
}

}  // namespace spf
