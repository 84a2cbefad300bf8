// Declares the table of every struct that is part of a result. Private to result/.
#pragma once

#include "feedrate/result/table.h"
#include "feedrate/result/views.h"

namespace feedrate {

// report_tables.cc
const Table<HostFacts>& table_of(Type<HostFacts>);
const Table<ErrorCount>& table_of(Type<ErrorCount>);
const Table<Place>& table_of(Type<Place>);
const Table<Cost>& table_of(Type<Cost>);
const Table<Envelope>& table_of(Type<Envelope>);
const Table<LatencySummary>& table_of(Type<LatencySummary>);
// run_tables.cc
const Table<OtherTiming>& table_of(Type<OtherTiming>);
const Table<JobFacts>& table_of(Type<JobFacts>);
const Table<DatasetFacts>& table_of(Type<DatasetFacts>);
const Table<EpochResult>& table_of(Type<EpochResult>);
const Table<StallShare>& table_of(Type<StallShare>);
const Table<StallFraction>& table_of(Type<StallFraction>);
const Table<RankStallResult>& table_of(Type<RankStallResult>);
const Table<StallPlace>& table_of(Type<StallPlace>);
const Table<StallResult>& table_of(Type<StallResult>);
const Table<ByteProcessing>& table_of(Type<ByteProcessing>);
const Table<RunCheckpoints>& table_of(Type<RunCheckpoints>);
const Table<HostTime>& table_of(Type<HostTime>);
const Table<EpochIo>& table_of(Type<EpochIo>);
const Table<IoLedger>& table_of(Type<IoLedger>);
const Table<ClientCeiling>& table_of(Type<ClientCeiling>);
const Table<Limiter>& table_of(Type<Limiter>);
const Table<RunResult>& table_of(Type<RunResult>);
// find_tables.cc
const Table<TrialResult>& table_of(Type<TrialResult>);
const Table<FindPoint>& table_of(Type<FindPoint>);
const Table<DepthPoint>& table_of(Type<DepthPoint>);
const Table<ColdAnswer>& table_of(Type<ColdAnswer>);
const Table<FindResult>& table_of(Type<FindResult>);
const Table<FindReport>& table_of(Type<FindReport>);
// checkpoint_tables.cc
const Table<RankTimeResult>& table_of(Type<RankTimeResult>);
const Table<CheckpointPass>& table_of(Type<CheckpointPass>);
const Table<Spread>& table_of(Type<Spread>);
const Table<GoodputResult>& table_of(Type<GoodputResult>);
const Table<CheckpointResult>& table_of(Type<CheckpointResult>);
const Table<CompactResult>& table_of(Type<CompactResult>);
const Table<LoadResult>& table_of(Type<LoadResult>);
// plan_tables.cc
const Table<PlannedBinding>& table_of(Type<PlannedBinding>);
const Table<PlannedStorage>& table_of(Type<PlannedStorage>);
const Table<PlannedPort>& table_of(Type<PlannedPort>);
const Table<PlanPoint>& table_of(Type<PlanPoint>);
const Table<PlanResult>& table_of(Type<PlanResult>);
// doctor_tables.cc
const Table<Finding>& table_of(Type<Finding>);
const Table<DoctorReport>& table_of(Type<DoctorReport>);
// data_tables.cc
const Table<DatagenResult>& table_of(Type<DatagenResult>);
const Table<KeptFile>& table_of(Type<KeptFile>);
const Table<DropResult>& table_of(Type<DropResult>);
const Table<ListedTimings>& table_of(Type<ListedTimings>);
const Table<ListedWorkload>& table_of(Type<ListedWorkload>);
const Table<ListedFormat>& table_of(Type<ListedFormat>);
const Table<ListedEntry>& table_of(Type<ListedEntry>);
const Table<WorkloadsReport>& table_of(Type<WorkloadsReport>);

// together_tables.cc
const Table<JobTogether>& table_of(Type<JobTogether>);
const Table<TogetherReport>& table_of(Type<TogetherReport>);

// Returns the table of a report: the envelope, the verdict, and the body in an object `result`.
template <class T>
Table<T> report_table(const Rows<T>& body) {
  return Rows<T>()
      .template base<Envelope>()
      .derived(
          "verdict", [](const T& report) { return verdict_of(report); },
          text("the result in a sentence: the first line of the text"))
      .group("result", "what the verb has to say", body);
}

}  // namespace feedrate
