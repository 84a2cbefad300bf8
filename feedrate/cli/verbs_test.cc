#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "feedrate/base/text.h"
#include "feedrate/base/units.h"
#include "feedrate/cli/commands.h"
#include "feedrate/options/completion.h"
#include "feedrate/options/document.h"
#include "feedrate/options/help.h"
#include "feedrate/options/option_parser.h"
#include "feedrate/options/option_table.h"

namespace feedrate {
namespace {

using enum OptionType;

// A verb with its table, which points into the verb's command.
struct Verb : VerbTable {
  explicit Verb(const CommandEntry& of) : VerbTable(of), entry(of) {}
  const CommandEntry& entry;
};

const CommandEntry& verb_named(std::string_view name) {
  const auto verbs = commands();
  return *std::ranges::find(verbs, name, &CommandEntry::name);
}

// Returns "" when the verb takes these words, or else the error.
std::string parsed(std::string_view verb, const std::vector<std::string>& words) {
  Verb declared(verb_named(verb));
  const Result<> result = parse_options(commands(), declared.entry, words, declared.table);
  return result ? "" : result.error().message() + " | " + result.error().hint();
}

TEST(OptionTable, APrefixIsPartOfNamesAndOfWhatMustStandBeside) {
  OptionTable table;
  bool flag = false;
  std::string every, rate;
  table.add("", {{{"--checkpoint-every", kText, "", "TIME", "how often"}, every}});
  table.add("Group",
            {{{"--async", kFlag, "", "", "behind"}, flag},
             {{"--rate", kRate, "", "", "how fast", "--async or --local=DIR"}, rate}},
            "checkpoint-", "--checkpoint-every=500steps");
  const OptionEntry& async = table.entries()[1];
  EXPECT_EQ(async.names(), std::vector<std::string>{"--checkpoint-async"});
  EXPECT_EQ(async.beside(), std::vector<std::string>{"--checkpoint-every=500steps"});
  EXPECT_EQ(table.entries()[2].beside(),
            (std::vector<std::string>{"--checkpoint-async", "--checkpoint-local=DIR"}));
  EXPECT_EQ(table.groups(), std::vector<std::string>{"Group"});
}

TEST(OptionTable, HeadingsShowWhatAValueLooksLikeAndTheDefault) {
  OptionTable table;
  bool flag = false;
  std::string text;
  std::vector<std::string> many;
  table.add("", {{{"[directory]", kDirectory, "", "", "where"}, text},
                 {{"job", kWorkload, "", "", "what"}, many},
                 {{"-n,--ranks", kCount, "8", "1 to 9", "how many"}, text},
                 {{"--io", kWords, "auto", "auto|direct", "how"}, text},
                 {{"--budget", kDuration, "60s", "", "how long"}, text},
                 {{"--hold", kFlag, "", "", "whether"}, flag}});
  std::vector<std::string> headings;
  for (const OptionEntry& entry : table.entries()) headings.push_back(entry.heading());
  EXPECT_EQ(headings,
            (std::vector<std::string>{"directory", "job...", "-n,--ranks N (8)",
                                      "--io auto|direct (auto)", "--budget TIME (60s)", "--hold"}));
  EXPECT_EQ(table.entries()[2].key(), "ranks");
  EXPECT_EQ(table.entries()[0].key(), "directory");
  EXPECT_FALSE(table.entries()[0].required());
  EXPECT_TRUE(table.entries()[1].required());
}

TEST(OptionTable, AnOptionWithoutWhatGivesItAnEffectIsAnError) {
  OptionTable table;
  std::string clock, wall;
  table.add("", {{{"--clock", kWords, "real", "real|virtual", "which"}, clock},
                 {{"--wall", kDuration, "", "", "how long", "--clock=virtual"}, wall}});
  table.entries()[1].given = {"5s"};
  EXPECT_EQ(check_given(table).error().message(), "--wall: 5s has no use without --clock=virtual");
  EXPECT_EQ(check_given(table).error().hint(), "add --clock=virtual, or leave it out");
  table.entries()[0].given = {"real"};
  EXPECT_FALSE(check_given(table));
  table.entries()[0].given = {"virtual"};
  EXPECT_TRUE(check_given(table));
  table.entries()[1].given = {""};
  EXPECT_EQ(check_given(table).error().message(), "--wall: the value is empty");
}

TEST(Rows, AnOptionIsTheSameInEveryVerb) {
  std::map<std::string, std::pair<OptionRow, std::string_view>> seen;
  for (const CommandEntry& entry : commands())
    for (const Verb verb(entry); const OptionEntry& option : verb.table.entries()) {
      if (option.by_place()) continue;
      const OptionRow& row = option.row();
      const auto [at, is_new] = seen.try_emplace(option.key(), row, entry.name);
      const OptionRow& other = at->second.first;
      EXPECT_TRUE(row.names == other.names && row.type == other.type && row.help == other.help)
          << option.key() << " of " << entry.name << " and of " << at->second.second;
    }
}

TEST(Rows, EachSaysWhatItIsInOneSentence) {
  for (const CommandEntry& entry : commands())
    for (const Verb verb(entry); const OptionEntry& option : verb.table.entries()) {
      const std::string where = std::string(entry.name) + " " + option.shown_name();
      const std::string_view help = option.row().help;
      EXPECT_FALSE(help.empty() || help.ends_with('.')) << where;
      const std::vector<std::string> words = option.words();
      EXPECT_EQ(words.empty(), option.row().type != kWords) << where;
      const bool by_workload = option.row().usual == "the workload's";
      EXPECT_TRUE(words.empty() || by_workload ||
                  std::ranges::count(words, option.row().usual) == 1)
          << where;
      for (const std::string& beside : option.beside())
        EXPECT_NE(verb.table.find(beside.substr(0, beside.find('='))), nullptr) << where;
    }
}

TEST(Rows, NoTwoOptionsOfAVerbShareAName) {
  for (const CommandEntry& entry : commands()) {
    std::map<std::string, int> names;
    for (const Verb verb(entry); const OptionEntry& option : verb.table.entries()) {
      if (option.by_place()) ++names[option.key()];
      for (const std::string& name : option.names()) ++names[name];
    }
    for (const auto& [name, times] : names) EXPECT_EQ(times, 1) << entry.name << " " << name;
  }
}

TEST(Parser, ValuesLandInTheirPlacesAndAreKept) {
  Verb verb(verb_named("plan"));
  ASSERT_TRUE(parse_options(commands(), verb.entry,
                            {"resnet50", "bert", "-n", "8", "--storage-type=nvme-gen4",
                             "--storage-type", "nvme-gen5", "--explain"},
                            verb.table));
  EXPECT_EQ(verb.table.find("job")->given, (std::vector<std::string>{"resnet50", "bert"}));
  EXPECT_EQ(verb.table.find("--storage-type")->given,
            (std::vector<std::string>{"nvme-gen4", "nvme-gen5"}));
  EXPECT_EQ(verb.table.find("-n")->given, std::vector<std::string>{"8"});
  EXPECT_TRUE(verb.table.given("--explain"));
  EXPECT_FALSE(verb.table.given("--epochs"));
}

TEST(Parser, AnOptionThatRepeatsTakesOneWordEachTime) {
  EXPECT_EQ(parsed("checkpoint", {"--rank-bandwidth", "3=1MB/s", "llama3-8b", "./c"}), "");
  EXPECT_EQ(parsed("train", {"--slow-rank", "3=2", "--set", "readers=1", "resnet50"}), "");
}

TEST(Parser, ASlipOfTheFingerIsSoughtInAllVerbs) {
  EXPECT_EQ(parsed("train", {"resnet50", "--budgt", "3s"}),
            "unknown option '--budgt', did you mean '--budget' of 'feedrate find'? | "
            "'feedrate train --help' lists the options");
  EXPECT_EQ(parsed("train", {"resnet50", "--epoch", "3"}),
            "unknown option '--epoch', did you mean '--epochs'? | "
            "'feedrate train --help' lists the options");
  EXPECT_EQ(parsed("train", {"resnet50", "d", "virtual"}),
            "unexpected argument 'virtual', did you mean '--clock=virtual'? | "
            "'feedrate train --help' lists the options");
}

TEST(Parser, AnOptionThatWasRenamedIsFoundByItsFormerName) {
  const std::string lists = " | 'feedrate checkpoint --help' lists the options";
  EXPECT_EQ(parsed("checkpoint", {"llama3-8b", "./c", "--slow-rank", "3=1MB/s"}),
            "'feedrate checkpoint' has no option --slow-rank, did you mean --rank-bandwidth: "
            "a straggler: this rank writes no faster?" +
                lists);
  EXPECT_EQ(parsed("checkpoint", {"llama3-8b", "./c", "--write-bandwidth=1GB/s"}),
            "'feedrate checkpoint' has no option --write-bandwidth, did you mean --write-limit: "
            "most bytes a second of all that is written behind training?" +
                lists);
  EXPECT_NE(parsed("train", {"resnet50", "--checkpoint-slow-rank", "3=1MB/s"})
                .find("did you mean --checkpoint-rank-bandwidth: "),
            std::string::npos);
  EXPECT_NE(
      parsed("plan", {"resnet50", "--storage", "nvme-gen4"}).find("did you mean --storage-type: "),
      std::string::npos);
}

TEST(Parser, SwappedArgumentsAreRecognised) {
  EXPECT_EQ(parsed("find", {"./data", "resnet50"}),
            "workload: \"./data\" is no workload, but 'resnet50' is one: were the two swapped? | "
            "write 'feedrate find resnet50 ./data'; a folder of this name is './resnet50'");
  EXPECT_NE(parsed("load", {"/tmp", "llama3-8b"}).find("were the two swapped?"), std::string::npos);
  EXPECT_EQ(parsed("find", {"resnet50", "unet3d"}), "");  // A folder may have such a name.
  // A slip of the finger, which the catalogue tells.
  EXPECT_EQ(parsed("find", {"resnt50", "unet3d"}), "");
  EXPECT_EQ(parsed("find", {"./data", "./resnet50"}), "");  // A path, and no workload.
}

TEST(Parser, WhatIsMissingIsNamed) {
  EXPECT_EQ(parsed("plan", {}), "no job was given | 'feedrate plan --help' lists the options");
  EXPECT_EQ(parsed("datagen", {"resnet50"}),
            "no directory was given | 'feedrate datagen --help' lists the options");
  EXPECT_EQ(parsed("train", {"resnet50", "--readers", ""}),
            "--readers: the value is empty | give it a value, or leave it out");
}

TEST(Help, FitsInAnyWidthAndNamesEveryOption) {
  for (const CommandEntry& entry : commands()) {
    const Verb verb(entry);
    for (const std::size_t width : {40U, 60U, 80U, 120U}) {
      const std::string help = verb_help(entry, verb.table, width);
      for (const std::string& line : split(help, '\n')) {
        const bool one_word = trim(line).find(' ') == std::string_view::npos;
        EXPECT_TRUE(line.size() <= width || one_word) << entry.name << " " << width << ": " << line;
      }
      for (const OptionEntry& option : verb.table.entries())
        EXPECT_NE(help.find(option.by_place() ? option.key() : option.names().back()),
                  std::string::npos)
            << entry.name << " " << option.shown_name();
    }
  }
}

TEST(Documents, HaveEveryOptionOfEveryVerb) {
  const std::string page = options_page(commands()), list = option_list(commands()),
                    bash = bash_completion(commands()), zsh = zsh_completion(commands()),
                    fish = fish_completion(commands());
  for (const CommandEntry& entry : commands()) {
    EXPECT_NE(page.find("\n## " + std::string(entry.name) + "\n"), std::string::npos);
    for (const Verb verb(entry); const OptionEntry& option : verb.table.entries()) {
      EXPECT_NE(list.find(std::string(entry.name) + "\t" + option.shown_name() + "\t"),
                std::string::npos);
      if (option.by_place()) continue;
      EXPECT_NE(page.find(option.names().back()), std::string::npos);
      for (const std::string& name : option.names()) {
        const bool is_long = name.starts_with("--");
        EXPECT_NE(bash.find(name), std::string::npos);
        EXPECT_NE(zsh.find(name + (option.is_flag() ? "["
                                   : is_long        ? "=["
                                                    : "+[")),
                  std::string::npos)
            << name;
        EXPECT_NE(fish.find((is_long ? " -l " : " -s ") + name.substr(is_long ? 2 : 1) + " "),
                  std::string::npos)
            << name;
      }
    }
  }
}

}  // namespace
}  // namespace feedrate
