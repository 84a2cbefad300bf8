#include "feedrate/result/tables.h"

namespace feedrate {

const Table<DatagenResult>& table_of(Type<DatagenResult>) {
  using D = DatagenResult;
  static const Table<D> table =
      report_table<D>(Rows<D>()
                          .add("workload", &D::workload, text("that the data set is of"))
                          .add("title", &D::title, text("what it is"))
                          .add("dataset", &D::dataset, things("as it is when it is whole"))
                          .add("dry_run", &D::dry_run, flag("nothing was written"))
                          .add("files_written", &D::files_written,
                               number("null: not known, since an error came first"))
                          .add("files_kept", &D::files_kept, number("that were whole already"))
                          .add("bytes_written", &D::bytes_written, bytes("that were written"))
                          .add("seconds", &D::seconds, seconds("that writing took").less())
                          .derived("bytes_per_second", &D::bytes_per_second,
                                   byte_rate("bytes_written / seconds; 0: it took none").more()));
  return table;
}

const Table<KeptFile>& table_of(Type<KeptFile>) {
  static const Table<KeptFile> table =
      Rows<KeptFile>()
          .add("path", &KeptFile::path, text("of the file"))
          .add("bytes", &KeptFile::bytes, bytes("of it in the page cache").less())
          .add("reason", &KeptFile::reason, text("why they stay"))
          .add("remedy", &KeptFile::remedy, text("what would change that"));
  return table;
}

const Table<DropResult>& table_of(Type<DropResult>) {
  using D = DropResult;
  static const Table<D> table = report_table<D>(
      Rows<D>()
          .add("files", &D::files, number("that were looked at"))
          .add("file_bytes", &D::file_bytes, bytes("of those files"))
          .add("bytes_before", &D::bytes_before, bytes("of them in the page cache before"))
          .add("bytes_after", &D::bytes_after, bytes("of them in the page cache after").less())
          .derived("dropped_bytes", &D::dropped_bytes, bytes("that left it"))
          .derived("remaining_share", &D::remaining_share,
                   fraction("of the files that is still there").less())
          .add("method", &D::method, text("who says so; \"\": nobody can"))
          .add("files_unknown", &D::files_unknown,
               number("that nobody can tell of whether they were dropped").less())
          .add("files_failed", &D::files_failed, number("that could not be opened").less())
          .add("files_kept", &D::files_kept, number("of which something stays").less())
          .add("kept", &D::kept, things("the first few of those")));
  return table;
}

const Table<ListedTimings>& table_of(Type<ListedTimings>) {
  static const Table<ListedTimings> table =
      Rows<ListedTimings>()
          .add("set", &ListedTimings::set, text("of step times"))
          .add("accelerators", &ListedTimings::accelerators, things("types that it has them for"));
  return table;
}

const Table<ListedWorkload>& table_of(Type<ListedWorkload>) {
  using W = ListedWorkload;
  static const Table<W> table = Rows<W>()
                                    .add("name", &W::name, text("as commands take it"))
                                    .add("title", &W::title, text("what it is"))
                                    .add("format", &W::format, text("of its files"))
                                    .add("files", &W::files, number("files, as published"))
                                    .add("samples", &W::samples, number("samples in all of them"))
                                    .add("bytes", &W::bytes, bytes("of those samples"))
                                    .add("timings", &W::timings, things("sets of step times"));
  return table;
}

const Table<ListedFormat>& table_of(Type<ListedFormat>) {
  using F = ListedFormat;
  static const Table<F> table =
      Rows<F>()
          .add("name", &F::name, text("as --format takes it"))
          .add("extension", &F::extension, text("of its files; \"\": any"))
          .add("companion_extension", &F::companion_extension,
               text("of the index beside a file; \"\": there is none"))
          .add("one_sample_a_file", &F::one_sample_a_file, flag("else many"))
          .add("checksums", &F::checksums, flag("its files have some"))
          .add("decoded", &F::decoded, flag("--decode works on it"))
          .add("transfer_bytes", &F::transfer_bytes, bytes("that are read at a time"));
  return table;
}

const Table<ListedEntry>& table_of(Type<ListedEntry>) {
  using L = ListedEntry;
  static const Table<L> table =
      Rows<L>()
          .add("kind", &L::kind,
               word("of thing", {"model", "accelerator", "storage", "network", "inference"}))
          .add("name", &L::name, text("as commands take it"))
          .add("title", &L::title, text("what it is"))
          .add("used_as", &L::used_as, text("a command that takes it"));
  return table;
}

const Table<WorkloadsReport>& table_of(Type<WorkloadsReport>) {
  using W = WorkloadsReport;
  static const Table<W> table = report_table<W>(
      Rows<W>()
          .add("workloads", &W::workloads,
               things("that are built in, unless another list was asked for"))
          .add("formats", &W::formats, things("of files, with --formats"))
          .add("catalogue", &W::catalogue,
               things("what else is built in: models, storage, ..., with --catalogue")));
  return table;
}

}  // namespace feedrate
