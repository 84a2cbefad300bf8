#!/usr/bin/python3
"""Writes the foreign samples of this folder (made with numpy 1.24.2, Python 3.11)."""
import numpy

# The file that we write for a 1000-byte sample of compressibility 1.
numpy.save("zeros_1000.npy", numpy.zeros(1000, numpy.uint8))
numpy.save("float_3d.npy", numpy.asfortranarray(numpy.arange(120, dtype="<f4").reshape(4, 5, 6)))
numpy.save("scalar.npy", numpy.int64(7))
numpy.save("structure.npy", numpy.zeros(3, [("x", "<f4"), ("y", "<i2", (2, 2))]))
with open("version_2.npy", "wb") as file:
    numpy.lib.format.write_array(file, numpy.arange(3, dtype=numpy.uint8), version=(2, 0))
