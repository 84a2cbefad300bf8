#include "feedrate/storage/backends.h"

#include "feedrate/runtime/reactor_test_support.h"

namespace feedrate {
namespace {

std::string error_of(const std::string& specification) {
  const auto spec = parse_storage(specification);
  return spec ? "no error" : spec.error().render();
}

TEST(Backends, MakesEachByItsName) {
  const auto reactor = make_virtual_reactor();
  const TemporaryDirectory directory;
  const std::string model = directory.write("m.yaml", "name: m\nlatency: 1ms\n");
  for (const auto& [specification, name] : {std::pair<std::string, std::string>{"null", "null"},
                                            {"posix", "posix"},
                                            {"model:" + model, "model"}}) {
    const auto spec = parse_storage(specification);
    ASSERT_TRUE(spec) << spec.error().render();
    const StorageFactory factory = make_storage_factory(*spec, IoMode::kBuffered, "/tmp", 1);
    EXPECT_EQ(factory(*reactor)->name(), name);
  }
}

// A storage does what its row says.
TEST(Backends, FactsAreWhatTheStorageDoes) {
  const auto reactor = make_virtual_reactor();
  const TemporaryDirectory directory;
  const std::string described = "model:" + directory.write("m.yaml", "name: m\nlatency: 1ms\n");
  const std::string delayed =
      "model:" + directory.write("d.yaml", "name: d\nbacking: posix\nlatency: 1ms\n");
  for (const std::string& word : {std::string("null"), std::string("posix"), described, delayed}) {
    const StorageSpec spec = parse_storage(word).value();
    const auto storage = make_storage_factory(spec, IoMode::kBuffered, "/tmp", 1)(*reactor);
    EXPECT_EQ(storage->carries_data(), spec.facts.carries_data) << word;
    EXPECT_EQ(spec.facts.simulable, !spec.facts.carries_data) << word;
    EXPECT_EQ(spec.facts.described, word.starts_with("model:")) << word;
    EXPECT_EQ(spec.facts.takes_time, word != "null") << word;
    EXPECT_EQ(spec.word, word);
  }
  EXPECT_EQ(local_files().facts.moved_by, "device");
  EXPECT_EQ(costs_nothing().facts.moved_by, "");
}

TEST(Backends, NamesUnknownStorages) {
  EXPECT_EQ(error_of("nul"),
            "error: --storage: unknown storage 'nul', did you mean 'null'?\n"
            "hint:  use posix, null or model:FILE.yaml\n");
  EXPECT_EQ(error_of("s3"),
            "error: --storage: unknown storage 's3'\nhint:  use posix, null or model:FILE.yaml\n");
  EXPECT_EQ(error_of(""),
            "error: --storage: unknown storage ''\nhint:  use posix, null or model:FILE.yaml\n");
}

TEST(Backends, NamesModelsThatCannotBeRead) {
  const std::string hint =
      "hint:  give the path of a storage model in YAML, e.g. --storage model:nas.yaml\n";
  EXPECT_EQ(error_of("model:/no/such.yaml"),
            "error: --storage: cannot read \"/no/such.yaml\"\n" + hint);
  EXPECT_EQ(error_of("model:"), "error: --storage: cannot read \"\"\n" + hint);
  EXPECT_EQ(error_of("model:/tmp"), "error: --storage: cannot read \"/tmp\"\n" + hint);
  EXPECT_EQ(error_of("model:/dev/zero"),
            "error: /dev/zero: the file is too large or nested too deep\n"
            "hint:  at most 1 MiB and 16 levels are read\n");
}

TEST(Backends, ReportsWhereAModelIsWrong) {
  const TemporaryDirectory directory;
  const std::string model = directory.write("m.yaml", "name: m\nlatenzy: 1ms\n");
  EXPECT_EQ(error_of("model:" + model),
            "error: " + model +
                ":2:1: unknown key 'latenzy' in storage model, did you mean 'latency'?\n"
                "hint:  keys are name, backing, latency, open, stream_bandwidth, bandwidth, "
                "operations_per_second, slow, sizing\n");
}

TEST(IoMode, ParsesAndPrints) {
  for (const IoMode mode : {IoMode::kDirect, IoMode::kBuffered, IoMode::kAuto})
    EXPECT_EQ(*parse_io_mode(to_string(mode), "--io"), mode);
  EXPECT_EQ(parse_io_mode("bufered", "--io").error().render(),
            "error: --io: unknown mode 'bufered', did you mean 'buffered'?\n"
            "hint:  use direct, buffered or auto\n");
}

Task<> read_once(Storage& storage, Reactor& reactor, std::vector<Duration>& latencies) {
  const std::string path = "x";
  BufferPool pool(reactor, {.block_bytes = 4096, .blocks = 1, .will_carry_data = false});
  for (int read = 0; read < 5; ++read) {
    Buffer buffer = co_await pool.acquire();
    const Instant before = reactor.now();
    const Result<ReadOutcome> got = co_await storage.read_file(path, 100, buffer);
    EXPECT_TRUE(got);
    latencies.push_back(reactor.now() - before);
  }
}
std::vector<Duration> latencies_for(const std::string& specification, std::uint64_t seed) {
  const auto reactor = make_virtual_reactor();
  const StorageSpec spec = parse_storage(specification).value();
  const auto storage = make_storage_factory(spec, IoMode::kBuffered, "/tmp", seed)(*reactor);
  std::vector<Duration> latencies;
  reactor->spawn(read_once(*storage, *reactor, latencies));
  reactor->run();
  return latencies;
}
TEST(Backends, TheSeedDecidesTheLatenciesOfAModel) {
  const TemporaryDirectory directory;
  const std::string model =
      "model:" +
      directory.write("m.yaml", "name: m\nlatency: {distribution: exponential, mean: 1ms}\n");
  EXPECT_EQ(latencies_for(model, 1), latencies_for(model, 1));
  EXPECT_NE(latencies_for(model, 1), latencies_for(model, 2));
}

}  // namespace
}  // namespace feedrate
