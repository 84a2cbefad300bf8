#!/usr/bin/python3
"""Makes the .h5 files beside it with h5py 3.7 and libhdf5 1.10.8 (Debian 12's python3-h5py)."""
import pathlib

import h5py
import numpy

HERE = pathlib.Path(__file__).resolve().parent
CLIMATE = numpy.arange(8 * 12 * 4, dtype=numpy.float32).reshape(8, 12, 4)


def make(name, libver="earliest", labels=None, userblock=0, **options):
    with h5py.File(HERE / name, "w", libver=libver, userblock_size=userblock) as file:
        file.create_dataset("climate", data=CLIMATE, track_times=False, **options)
        if labels is not None:
            file.create_dataset("labels", data=labels, track_times=False)


PIXELS = numpy.zeros((8, 12), dtype=numpy.uint8)  # DeepCAM: a label per pixel, one sample
CLASSES = numpy.arange(8)                         # a label per row, eight samples

make("contiguous.h5", labels=PIXELS)
make("contiguous_rows.h5", libver="latest", labels=CLASSES)
make("contiguous_user_block.h5", labels=PIXELS, userblock=512)
make("tree1.h5", labels=PIXELS, chunks=(2, 3, 4))
make("tree1_rows.h5", labels=CLASSES, chunks=(2, 3, 4))
make("tree1_user_block.h5", labels=PIXELS, chunks=(2, 3, 4), userblock=512)
make("gzip.h5", labels=PIXELS, chunks=(4, 12, 4), compression="gzip", shuffle=True)
make("fletcher.h5", labels=PIXELS, chunks=(5, 12, 4), fletcher32=True)
make("single_chunk.h5", libver="latest", chunks=(8, 12, 4))
make("fixed_array.h5", libver="latest", chunks=(2, 3, 4))
make("extensible_array.h5", libver="latest", chunks=(2, 3, 4), maxshape=(None, 12, 4))
make("tree2.h5", libver="latest", chunks=(2, 3, 4), maxshape=(None, None, 4))

with h5py.File(HERE / "nested_largest.h5", "w") as file:
    file.create_dataset("small", data=numpy.arange(3), track_times=False)
    file.create_dataset("full", data=numpy.arange(100, dtype=numpy.int16), track_times=False)
    file.create_dataset("group/deep", data=numpy.arange(500), track_times=False)
with h5py.File(HERE / "soft_link.h5", "w") as file:
    file.create_dataset("elsewhere", data=CLIMATE, track_times=False)
    file["climate"] = h5py.SoftLink("/elsewhere")
with h5py.File(HERE / "external_link.h5", "w") as file:
    file["climate"] = h5py.ExternalLink("contiguous.h5", "/climate")
with h5py.File(HERE / "external_storage.h5", "w") as file:
    file.create_dataset("climate", (96,), "f4", external=[("values.bin", 0, 384)])
(HERE / "values.bin").unlink(missing_ok=True)  # never written: only its name counts
with h5py.File(HERE / "virtual.h5", "w", libver="latest") as file:
    layout = h5py.VirtualLayout(shape=(8, 12, 4), dtype="f4")
    layout[:] = h5py.VirtualSource("contiguous.h5", "climate", shape=(8, 12, 4))
    file.create_virtual_dataset("climate", layout)
with h5py.File(HERE / "compact.h5", "w") as file:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    properties.set_obj_track_times(False)
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file.id, b"climate", h5py.h5t.IEEE_F32LE, space, properties)
with h5py.File(HERE / "text.h5", "w") as file:
    file.create_dataset("climate", data=["of", "variable", "length"], track_times=False)
