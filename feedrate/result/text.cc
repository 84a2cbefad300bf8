#include "feedrate/result/text_parts.h"
#include "feedrate/result/views.h"

namespace feedrate {
namespace {

std::string body_of(const PlanResult& plan, bool explain) { return text_of(plan, explain); }
template <class T>
std::string body_of(const T& report, bool) {
  return text_of(report);
}

}  // namespace

std::string to_text(const Report& report, bool explain) {
  return std::visit(
      [explain](const auto& each) { return verdict_of(each) + "\n" + body_of(each, explain); },
      report);
}

}  // namespace feedrate
