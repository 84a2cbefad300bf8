"""Formats of arrays and records: read by numpy, tarfile, tar, protobuf, json."""
import json
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile


def check_npz(check, file):
    import numpy
    path, size = file.path, file.sizes[0]
    with numpy.load(path) as members:  # zipfile checks the CRC-32 of what it reads
        x, y = members["x"], members["y"]
        check.that(sorted(members.files) == ["x", "y"], f"{path.name}: members x and y")
    check.that(x.dtype == numpy.uint8 and x.shape == (size,), f"{path.name}: x has {size} B")
    check.that(y.dtype == numpy.int64 and y.tolist() == [file.label],
               f"{path.name}: y is [{file.label}]")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        again = pathlib.Path(folder) / "again.npz"
        numpy.savez(again, x=x, y=y)
        same = subprocess.run(["cmp", "--silent", path, again], check=False).returncode == 0
    check.that(same, f"{path.name}: byte for byte what numpy.savez writes")


def check_npy(check, file):
    import numpy
    x = numpy.load(file.path)
    check.that(x.dtype == numpy.uint8 and x.tobytes() == file.content(),
               f"{file.path.name}: the array is the content")
    with tempfile.TemporaryDirectory(dir=file.path.parent) as folder:
        again = pathlib.Path(folder) / "again.npy"
        numpy.save(again, x)
        check.that(again.read_bytes() == file.path.read_bytes(),
                   f"{file.path.name}: byte for byte what numpy.save writes")


def crc32c_table():
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = crc32c_table()


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def example_class():
    """tf.train.Example as protobuf's own runtime knows it, without TensorFlow."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]
                           / "feedrate/format/tfrecord/testdata"))
    sys.dont_write_bytecode = True
    import make_samples
    return make_samples.example_class()


def check_tfrecord(check, file):
    example = example_class()
    data, at = file.path.read_bytes(), 0
    for i, size in enumerate(file.sizes):
        what = f"{file.path.name}: record {i}"
        length, length_crc = struct.unpack_from("<QI", data, at)
        body = data[at + 12:at + 12 + length]
        body_crc, = struct.unpack_from("<I", data, at + 12 + length)
        check.that(masked_crc(data[at:at + 8]) == length_crc, f"{what}: checksum of the length")
        check.that(masked_crc(body) == body_crc, f"{what}: checksum of the data")
        features = example.FromString(body).features.feature
        check.that(list(features["image/class/label"].int64_list.value) == [file.label + i],
                   f"{what}: label {file.label + i}")
        content = features["image/encoded"].bytes_list.value
        check.that(len(content) == 1 and len(content[0]) == size, f"{what}: content of {size} B")
        at += 16 + length
    check.that(at == len(data), f"{file.path.name}: ends after its last record")


def check_webdataset(check, file):
    what = file.path.name
    listed = subprocess.run(["tar", "--list", "--verbose", "--file", file.path],
                            capture_output=True, text=True, check=False)
    check.that(listed.returncode == 0 and not listed.stderr
               and len(listed.stdout.splitlines()) == 2 * len(file.sizes), f"{what}: tar lists it")
    with tarfile.open(file.path, "r|") as shard:  # a stream, as webdataset reads it
        members = [(member.name, shard.extractfile(member).read()) for member in shard]
    for i, size in enumerate(file.sizes):
        (name, content), (label_name, label) = members[2 * i:2 * i + 2]
        check.that(name.removesuffix(".bin") == label_name.removesuffix(".cls"),
                   f"{what}: sample {i} has one key")
        check.that(len(content) == size, f"{what}: sample {i} has {size} B")
        check.that(int(label) == file.label + i, f"{what}: label {file.label + i}")
    check.that(members[0][1] == file.content(), f"{what}: sample 0 is the content")


def check_megatron(check, file):
    """As megatron/core/datasets/indexed_dataset.py documents and reads it."""
    import numpy
    what, index = file.path.name, file.path.with_suffix(".idx").read_bytes()
    magic, version, code, sequences, documents = struct.unpack_from("<9sQBQQ", index)
    check.that(magic == b"MMIDIDX\0\0" and version == 1, f"{what}: magic and version of the index")
    check.that(code == 8, f"{what}: tokens are numpy.uint16")
    check.that((sequences, documents) == (len(file.sizes), len(file.sizes) + 1),
               f"{what}: {sequences} sequences in as many documents")
    at = 9 + 8 + 1 + 8 + 8
    lengths = numpy.frombuffer(index, numpy.int32, sequences, at)
    pointers = numpy.frombuffer(index, numpy.int64, sequences, at + lengths.nbytes)
    starts = numpy.frombuffer(index, numpy.int64, documents,
                              at + lengths.nbytes + pointers.nbytes)
    check.that(at + lengths.nbytes + pointers.nbytes + starts.nbytes == len(index),
               f"{what}: the index ends after its last array")
    check.that(starts.tolist() == list(range(documents)), f"{what}: a document is a sequence")
    tokens = numpy.memmap(file.path, numpy.uint16, "r")
    found = b"".join(tokens[p // 2:p // 2 + n].tobytes() for p, n in zip(pointers, lengths))
    check.that(found == file.content(), f"{what}: the sequences are the content")


def check_safetensors(check, file):
    what, data = file.path.name, file.path.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = sorted(header.values(), key=lambda tensor: tensor["data_offsets"])
    check.that([tensor["shape"] for tensor in tensors] == [[size] for size in file.sizes],
               f"{what}: a tensor for each sample")
    check.that({tensor["dtype"] for tensor in tensors} == {"U8"}, f"{what}: tensors of bytes")
    end = 0
    for tensor in tensors:
        check.that(tensor["data_offsets"][0] == end, f"{what}: no gap between tensors")
        end = tensor["data_offsets"][1]
    check.that(8 + length + end == len(data), f"{what}: ends after its last tensor")
    check.that(data[8 + length:][:file.sizes[0]] == file.content(),
               f"{what}: tensor 0 is the content")
    from safetensors import safe_open  # not in Debian 12: the rest is skipped
    with safe_open(file.path, "np") as opened:
        check.that(len(list(opened.keys())) == len(file.sizes), f"{what}: safe_open lists all")


def check_raw(check, file):
    import numpy
    records = numpy.fromfile(file.path, numpy.uint8).reshape(-1, file.sizes[0])
    check.that(len(records) == len(file.sizes), f"{file.path.name}: {len(records)} records")
    check.that(records.tobytes() == file.content(), f"{file.path.name}: they are the content")
