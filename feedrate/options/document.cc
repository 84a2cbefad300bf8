#include "feedrate/options/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "feedrate/base/text.h"
#include "feedrate/base/yaml_rows.h"
#include "feedrate/options/command.h"
#include "feedrate/options/help.h"
#include "feedrate/options/option_parser.h"
#include "feedrate/plan/storage_profile.h"
#include "feedrate/storage/storage_documents.h"
#include "feedrate/workload/accelerator_type.h"
#include "feedrate/workload/inference_shape.h"
#include "feedrate/workload/model_shape.h"

namespace feedrate {
namespace {

// Returns text as roff wants it: dashes and backslashes are escaped, and no line starts a request.
std::string roff(std::string_view text) {
  std::string escaped;
  bool line_starts = true;
  for (const char c : text) {
    if (line_starts && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '-')
      escaped += "\\-";
    else if (c == '\\')
      escaped += "\\e";
    else
      escaped += c;
    line_starts = c == '\n';
  }
  return escaped;
}

// Returns a range such as "1 to 1024"; words stand in the heading already.
std::string_view range_of(const OptionEntry& entry) {
  const bool shown =
      entry.row().type == OptionType::kWords || entry.row().type == OptionType::kText;
  return shown ? std::string_view() : entry.row().among;
}

std::string man_option(const OptionTable& table, const OptionEntry& entry) {
  std::string head = entry.by_place() ? fmt::format("\\fI{}\\fR", roff(entry.key())) : "";
  for (const std::string& name : entry.names())
    head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", roff(name));
  if (!entry.by_place() && !entry.is_flag())
    head += fmt::format(" \\fI{}\\fR", roff(entry.value_shape()));
  std::string text = roff(option_sentence(table, entry)) + ".\n";
  if (!range_of(entry).empty()) text += fmt::format("Allowed: {}.\n", roff(range_of(entry)));
  if (!entry.row().usual.empty()) text += fmt::format("Default: {}.\n", roff(entry.row().usual));
  return fmt::format(".TP\n{}\n{}", head, text);
}

// Returns the options in the order of --help: arguments first, then group by group.
std::string man_options(const OptionTable& table) {
  std::string page;
  for (const OptionEntry& entry : table.entries())
    if (entry.by_place()) page += man_option(table, entry);
  std::vector<std::string> groups = table.groups();
  groups.insert(groups.begin(), "");
  for (const std::string& group : groups) {
    if (!group.empty()) page += fmt::format(".PP\n{}:\n", roff(group));
    for (const OptionEntry& entry : table.entries())
      if (!entry.by_place() && entry.group() == group) page += man_option(table, entry);
  }
  return page;
}

constexpr std::string_view kManEnd = R"(.SH FILES
.TP
.I feedrate.json
what a data set consists of. Directories with this file are data sets of
.BR feedrate ;
.B datagen
and
.B find
write into no others, unless they are empty.
.TP
.I feedrate\-checkpoints.json
marks a directory of checkpoints, with a
.I checkpoint.json
in the directory of each step.
.TP
.I .feedrate\-index
where the samples of your own files lie: the one file that is written beside them, and with
.B \-\-index\-dir
not even that.
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
the answer of
.B find \-\-at\-least
is no: so many accelerators are not fed
.TP
.B 2
an option or a file that was given is wrong
.TP
.B 3
the host lacks something
.TP
.B 4
the run is INVALID: its figures must not be used
.TP
.B 5
.B find
could not tell: its
.B \-\-at\-least
is undecided, or nothing could be measured
.TP
.B 130
interrupted; partial results were printed
)";

constexpr std::string_view kCatalogueBegin = R"(# Catalogue files

What can be described in YAML beside [workloads](workloads.md), generated from the rows by which the
program reads these files, by `tools/generated_docs.sh`; a test compares. The catalogue's own files
have the same keys. A key that no row names is an error with its line, its column and the likely
spelling. A time without a unit is in seconds.
)";
constexpr std::string_view kStorageText =
    R"(`--storage=model:FILE`: on the virtual clock this simulates, on the real one it delays its
backing. All that use it share the bandwidth and the operations. Examples: `catalog/storage/`.

```yaml
name: slow-nas
latency: {distribution: lognormal, median: 1ms, p99: 20ms}
open: 500us
stream_bandwidth: 500MB/s
bandwidth: 2GB/s
operations_per_second: 50000
slow:
  - {path: train/0003/, open: 5ms, latency: 20ms}
```
)";
constexpr std::string_view kSizingText =
    R"(The same files, for `plan --storage-type=FILE`. What no source gives is left out,
and a plan says so.
)";
constexpr std::string_view kPortText = R"(`plan --port=FILE`. Examples: `catalog/networks/`.
)";
constexpr std::string_view kModelText =
    R"(`--model=FILE`, and the model of `checkpoint` and `load`. Examples: `catalog/models/`.
)";
constexpr std::string_view kInferenceText =
    R"(Of the catalogue alone, for `plan`: `catalog/inference/`.
)";
constexpr std::string_view kAcceleratorText =
    R"(Of the catalogue alone, for `plan`: `catalog/accelerators/`.
)";

constexpr std::string_view kPageBegin = R"(# Options

Every option of every verb, generated from the tables of the program by `tools/generated_docs.sh`;
a test compares. `feedrate VERB --help`, the man page and the completions of bash, zsh and
fish come from the same tables.

| written as | what it is | examples |
| --- | --- | --- |
| `N` | a number; of parameters with a letter, too | `8`, `70B` |
| `SHARE` | a fraction | `0.9`, `90%` |
| `SIZE` | bytes | `4MiB`, `20GB`; of a data set `1%` of its published size, too |
| `RATE` | bytes a second | `500MB/s` |
| `TIME` | a duration; without a unit: seconds | `250ms`, `5m`, `30d` |
| `DIR`, `FILE` | a path | `./feedrate-data` |
| `a\|b` | one of these words | |

An option that would have no effect, as things are, is an error that says why.
)";

// Turns "find out" into "Find out".
std::string sentence(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z')
    result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

// Returns a cell of a table in Markdown.
std::string cell(std::string_view text, bool as_code = false) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return as_code && !escaped.empty() ? fmt::format("`{}`", escaped) : escaped;
}

// Returns the rows of a verb's arguments, or of the options in one of its groups.
std::string page_rows(const OptionTable& table, std::string_view group, bool arguments) {
  std::string page;
  for (const OptionEntry& entry : table.entries()) {
    if (entry.by_place() != arguments || (!arguments && entry.group() != group)) continue;
    std::string name = entry.by_place() ? entry.key() : join(entry.names(), ", ");
    if (!entry.by_place() && !entry.is_flag()) name += " " + entry.value_shape();
    page += fmt::format("| {} | {} | {} | {} |\n", cell(name, true), cell(entry.row().usual),
                        cell(range_of(entry)), cell(sentence(option_sentence(table, entry))));
  }
  if (page.empty()) return page;
  const std::string_view title = arguments ? "argument" : group.empty() ? "option" : group;
  return fmt::format("\n| {} | default | allowed | what it does |\n| --- | --- | --- | --- |\n{}",
                     title, page);
}

}  // namespace

std::string man_page(Verbs verbs) {
  std::string page = fmt::format(
      ".TH FEEDRATE 1 \"\" \"feedrate {}\" \"User Commands\"\n"
      ".SH NAME\nfeedrate \\- {}\n"
      ".SH SYNOPSIS\n.B feedrate\n.I VERB\n.RI [ options ]\n"
      ".SH DESCRIPTION\n"
      "Measures, on the storage of this host, how many accelerators of a deep\\-learning\n"
      "training job it can keep fed, and names what limits it.\n"
      "No result of it is an MLPerf result.\n"
      ".SH VERBS\n",
      FEEDRATE_VERSION, roff(verbs.front().summary));
  for (const CommandEntry& entry : verbs)
    page += fmt::format(".SS {}\n{}.\n.PP\n.nf\n{}.fi\n{}", entry.name, roff(entry.summary),
                        roff(entry.examples), man_options(VerbTable(entry).table));
  return page + std::string(kManEnd);
}

std::string catalogue_page() {
  std::string page(kCatalogueBegin);
  for (const auto& [title, text, keys] :
       {std::tuple{"A storage that is described", kStorageText, storage_model_keys()},
        {"What one unit of a storage carries", kSizingText, sizing_keys()},
        {"A network port", kPortText, network_keys()},
        {"A model", kModelText, model_keys()},
        {"What serves a model", kInferenceText, inference_keys()},
        {"An accelerator", kAcceleratorText, accelerator_keys()}})
    page += fmt::format("\n## {}\n{}\n{}{}", title, text, yaml_table_head(), keys);
  return page;
}

std::string options_page(Verbs verbs) {
  std::string page(kPageBegin);
  for (const CommandEntry& verb : verbs) {
    const VerbTable declared(verb);
    page += fmt::format("\n## {0}\n{1}.\n\n    {2}\n", verb.name, sentence(verb.summary),
                        usage_line(verb, declared.table));
    page += page_rows(declared.table, "", true);
    page += page_rows(declared.table, "", false);
    for (const std::string& group : declared.table.groups())
      page += page_rows(declared.table, group, false);
  }
  return page;
}

std::string option_list(Verbs verbs) {
  std::string list;
  for (const CommandEntry& verb : verbs) {
    const VerbTable declared(verb);
    for (const OptionEntry& entry : declared.table.entries())
      list += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", verb.name, entry.shown_name(),
                          to_string(entry.row().type), entry.row().usual, entry.row().among,
                          join(entry.beside(), " or "));
  }
  return list;
}

}  // namespace feedrate
