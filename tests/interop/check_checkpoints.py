#!/usr/bin/python3
"""Opens checkpoints of our layouts with PyTorch and compares every value, bit by bit, and the bytes
around them with those that PyTorch's own writer puts there (1.13's: later ones add records).

  check_checkpoints.py --render RENDER_CHECKPOINT [--memory] DIRECTORY

Prints a line per check ("ok" or "FAIL"). Exit status: 1 if any failed, 77 without PyTorch.
--memory loads tensors of 4 GiB, too, and has PyTorch write them: that takes 10 GB of memory.
"""
import argparse
import contextlib
import dataclasses
import io
import json
import pathlib
import shutil
import subprocess
import sys
import zipfile

try:
    import torch
except ImportError:
    print("skip: no PyTorch here")
    sys.exit(77)

DTYPES = {"f32": (torch.float32, torch.int32), "bf16": (torch.bfloat16, torch.int16),
          "u8": (torch.uint8, torch.uint8)}
PATTERN = bytes(7 * i & 255 for i in range(1 << 20))


@dataclasses.dataclass
class Piece:
    number: int
    path: str
    offset: int
    name: str
    dtype: str
    whole: list
    begin: list
    shape: list

    @classmethod
    def parse(cls, line):
        number, path, offset, name, dtype, *sizes = line.split()
        return cls(int(number), path, int(offset), name, dtype,
                   *([int(size) for size in dimensions.split("x")] for dimensions in sizes))

    def value(self):
        """What must be in it, as integers."""
        dtype, bits = DTYPES[self.dtype]
        count = torch.empty(0, dtype=dtype).element_size()
        for size in self.shape:
            count *= size
        if self.name == "zeros":
            return torch.zeros(self.shape, dtype=bits)
        begin = 183 * self.number & 255  # 7 x 183 is 1 in a byte
        data = bytearray(PATTERN[begin:begin + count])
        return torch.frombuffer(data, dtype=bits).reshape(self.shape)

    def data(self):
        return bytes(self.value().view(torch.uint8).flatten().tolist())

    def same(self, tensor):
        dtype, bits = DTYPES[self.dtype]
        return (tensor.dtype == dtype and list(tensor.shape) == self.shape
                and tensor.is_contiguous() and torch.equal(tensor.view(bits), self.value()))


class Check:
    def __init__(self, options):
        self.render, self.memory = options.render, options.memory
        self.directory = options.directory.resolve()
        self.done = self.failed = 0

    def that(self, condition, what):
        print("ok  " if condition else "FAIL", what, flush=True)
        self.done += 1
        self.failed += not condition

    @contextlib.contextmanager
    def checkpoint(self, layout, what):
        """A directory of ours, and the pieces by file; removed afterwards."""
        path = self.directory / f"{layout}-{what}"
        shutil.rmtree(path, ignore_errors=True)
        try:
            done = subprocess.run([self.render, layout, what, path], check=True,
                                  capture_output=True, text=True)
            files = {}
            for piece in map(Piece.parse, done.stdout.splitlines()):
                files.setdefault(piece.path, []).append(piece)
            yield path, files
        finally:
            shutil.rmtree(path, ignore_errors=True)


class Sparse:
    """A file that keeps what is written to it but for the largest tensors."""

    def __init__(self):
        self.at, self.parts = 0, []

    def write(self, data):
        if len(data) < 1 << 30:
            self.parts.append((self.at, bytes(data)))
        self.at += len(data)
        return len(data)

    def flush(self):
        pass


def written_by_torch(archive, zeros=None):
    """What PyTorch's writer makes of the records of an archive; `zeros` is the largest one."""
    out = Sparse()
    writer = torch._C.PyTorchFileWriter(out)
    for record in archive.infolist():
        name = record.filename.removeprefix("archive/")
        if record.file_size > 1 << 30:
            writer.write_record(name, zeros.data_ptr(), record.file_size)
        elif name != "version":  # which it writes by itself
            writer.write_record(name, archive.read(record), record.file_size)
    writer.write_end_of_file()
    return out


def check_bytes(check, archive, file, title, zeros=None):
    """Compares all but the largest tensor."""
    if not torch.__version__.startswith("1."):
        print("skip", f"{title}: the writer of PyTorch {torch.__version__} adds records of its own")
        return
    out = written_by_torch(archive, zeros)
    same = out.at == file.seek(0, io.SEEK_END)
    for offset, data in out.parts:
        file.seek(offset)
        same = same and file.read(len(data)) == data
    check.that(same, f"{title}: byte for byte what PyTorch's writer makes of the records")


def load(source, **options):
    return torch.load(source, map_location="cpu", **options)


def check_torch(check, what):
    with check.checkpoint("torch", what) as (path, files):
        for name, pieces in files.items():
            title = f"torch {what} {name}"
            with zipfile.ZipFile(path / name) as archive, open(path / name, "rb") as file:
                check.that(archive.testzip() is None, f"{title}: zipfile finds the CRCs right")
                check_bytes(check, archive, file, title)
            for options in ({}, {"weights_only": True}):
                state = load(path / name, **options)
                check.that(list(state) == [piece.name for piece in pieces]
                           and all(piece.same(state[piece.name]) for piece in pieces),
                           f"{title}: torch.load({options}) gives {len(pieces)} tensors")


def check_torch_large(check):
    with check.checkpoint("torch", "large") as (path, files):
        (name, pieces), = files.items()
        first, zeros, last = pieces
        with zipfile.ZipFile(path / name) as archive:
            record = archive.getinfo("archive/data/1")
            check.that(record.file_size == zeros.shape[0] and record.CRC != 0,
                       f"torch large: zipfile sees {record.file_size} B")
            check.that(archive.read("archive/data/2") == last.data(),
                       "torch large: zipfile reads what lies beyond 4 GiB")
        reader = torch._C.PyTorchFileReader(str(path / name))
        for index, piece in ((0, first), (2, last)):
            check.that(reader.get_record(f"data/{index}") == piece.data(),
                       f"torch large: PyTorch's reader finds '{piece.name}'")
        if not check.memory:
            return
        state = load(path / name)
        check.that(all(piece.same(state[piece.name]) for piece in pieces),
                   "torch large: torch.load gives all values")
        with zipfile.ZipFile(path / name) as archive, open(path / name, "rb") as file:
            check_bytes(check, archive, file, "torch large", state["zeros"])


def check_safetensors(check):
    """Reads the format by its description (8 bytes of length, JSON, data), without our code."""
    types = {"F32": "f32", "BF16": "bf16", "U8": "u8"}
    with check.checkpoint("safetensors", "mixed") as (path, files):
        index = json.loads((path / "model.safetensors.index.json").read_text())
        names = {}
        for name, pieces in files.items():
            blob = (path / name).read_bytes()
            length = int.from_bytes(blob[:8], "little")
            header = json.loads(blob[8:8 + length])
            metadata = header.pop("__metadata__", {})
            check.that(length % 8 == 0 and all(isinstance(text, str) for text in metadata.values()),
                       f"safetensors {name}: the data are aligned, the metadata are text")
            ends = sorted(entry["data_offsets"] for entry in header.values())
            whole = all(before[1] == after[0] for before, after in zip(ends, ends[1:]))
            check.that(whole and ends[0][0] == 0 and 8 + length + ends[-1][1] == len(blob),
                       f"safetensors {name}: the tensors fill the file without gaps")
            for piece in pieces:
                cut = piece.shape != piece.whole
                tag = piece.name + ("@" + ",".join(map(str, piece.begin)) if cut else "")
                entry = header[tag]
                begin, end = (8 + length + offset for offset in entry["data_offsets"])
                dtype = DTYPES[types[entry["dtype"]]][0]
                tensor = torch.frombuffer(bytearray(blob[begin:end]), dtype=dtype)
                check.that(piece.same(tensor.reshape(entry["shape"])),
                           f"safetensors {name}: {tag} has its values")
                names.setdefault(tag, name)
        check.that(set(index["weight_map"]) == set(names)
                   and all((path / file).exists() for file in index["weight_map"].values()),
                   "safetensors: the index names every tensor and its file")


def import_dcp():
    """torch.distributed.checkpoint; in 1.13 it is private and has another name."""
    try:
        import torch.distributed.checkpoint as dcp
        return dcp
    except ImportError:
        pass
    real = dataclasses.dataclass

    def hashable(cls=None, **options):
        # Python 3.11 refuses its TensorProperties as a default, since they have no hash.
        def make(plain):
            made = real(plain, **options)
            if made.__hash__ is None:
                made.__hash__ = object.__hash__
            return made
        return make if cls is None else make(cls)

    dataclasses.dataclass = hashable
    try:
        import torch.distributed._shard.checkpoint as dcp
    finally:
        dataclasses.dataclass = real
    for name in ("", ".metadata", ".filesystem"):
        sys.modules["torch.distributed.checkpoint" + name] = sys.modules[dcp.__name__ + name]
    return dcp


def read_state(dcp, path, pieces):
    """The whole tensors, put together by PyTorch."""
    state = {piece.name: torch.zeros(piece.whole, dtype=DTYPES[piece.dtype][0])
             for piece in pieces}
    dcp.load_state_dict(state, dcp.FileSystemReader(path), no_dist=True)
    return state


def rectangle(piece, tensor):
    for dimension, (begin, size) in enumerate(zip(piece.begin, piece.shape)):
        tensor = tensor.narrow(dimension, begin, size)
    return tensor.contiguous()


def check_dcp(check, dcp):
    with check.checkpoint("dcp", "mixed") as (path, files):
        pieces = [piece for file in files.values() for piece in file]
        first = {}  # of what both ranks have, the first rank's counts
        for piece in pieces:
            first.setdefault((piece.name, *piece.begin), piece)
        state = read_state(dcp, path, pieces)
        for piece in first.values():
            check.that(piece.same(rectangle(piece, state[piece.name])),
                       f"dcp mixed: load_state_dict gives {piece.name} {piece.begin}")
        check_dcp_index(check, dcp, path, first, state)
        check_dcp_archives(check, path, pieces, dcp.FileSystemReader(path).read_metadata())


def check_dcp_index(check, dcp, path, pieces, state):
    ours = dcp.FileSystemReader(path).read_metadata()
    check.that(set(ours.storage_data) == {
        type(next(iter(ours.storage_data)))(name, begin) for name, *begin in pieces},
               "dcp mixed: the index names each rectangle once")
    copy = path.with_name("dcp-copy")
    shutil.rmtree(copy, ignore_errors=True)
    dcp.save_state_dict(state, dcp.FileSystemWriter(copy, single_file_per_rank=True), no_dist=True)
    theirs = dcp.FileSystemReader(copy).read_metadata()
    shutil.rmtree(copy)
    whole = [name for name, *begin in pieces if sum(key == name for key, *_ in pieces) == 1]
    check.that(len(whole) == 2 and all(
        ours.state_dict_metadata[name] == theirs.state_dict_metadata[name] for name in whole),
               "dcp mixed: whole tensors are described as PyTorch describes them")
    check.that(all(ours.state_dict_metadata[name].properties == one.properties
                   and ours.state_dict_metadata[name].size == one.size
                   for name, one in theirs.state_dict_metadata.items()),
               "dcp mixed: dtypes and sizes are as PyTorch has them")


def check_dcp_archives(check, path, pieces, metadata):
    by_place = {(piece.path, piece.offset): piece for piece in pieces}
    for index, info in metadata.storage_data.items():
        piece, = [piece for (name, offset), piece in by_place.items() if name == info.relative_path
                  and info.offset < offset < info.offset + info.length]
        with open(path / info.relative_path, "rb") as file:
            file.seek(info.offset)
            blob = io.BytesIO(file.read(info.length))
        title = f"dcp mixed {index.fqn} {list(index.offset)}"
        with zipfile.ZipFile(blob) as archive:
            check.that(archive.testzip() is None, f"{title}: zipfile finds the CRCs right")
            check_bytes(check, archive, blob, title)
        blob.seek(0)
        check.that(piece.same(load(blob, weights_only=True)), f"{title}: torch.load gives it")


def check_dcp_large(check, dcp):
    with check.checkpoint("dcp", "large") as (path, files):
        (_, pieces), = files.items()
        read = pieces if check.memory else [pieces[0], pieces[2]]
        state = read_state(dcp, path, read)
        for piece in read:
            check.that(piece.same(state[piece.name]),
                       f"dcp large: load_state_dict gives '{piece.name}'")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--render", required=True)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    check = Check(options)
    print(f"PyTorch {torch.__version__}")
    check_torch(check, "mixed")
    check_torch(check, "many")
    check_torch_large(check)
    check_safetensors(check)
    dcp = import_dcp()
    print(f"distributed checkpoints: {dcp.__name__}")
    check_dcp(check, dcp)
    check_dcp_large(check, dcp)
    print(f"{check.done} checks, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
