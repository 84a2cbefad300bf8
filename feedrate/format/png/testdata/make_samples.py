#!/usr/bin/python3
"""Writes the foreign samples of this folder (made with Pillow 9.4.0, netpbm 11.1.0)."""
import pathlib
import struct
import subprocess
import zlib

import numpy
from PIL import Image

RAMP = (numpy.arange(40 * 48 * 3) * 7 % 251).astype(numpy.uint8).reshape(40, 48, 3)

Image.fromarray(RAMP).quantize(16).save("palette.png")
Image.fromarray(RAMP[:, :, 0].astype(numpy.int32) * 256).save("gray_16.png")
Image.fromarray(RAMP).save("plain.ppm")
with open("interlaced.png", "wb") as file:
    subprocess.run(["pnmtopng", "-interlace", "plain.ppm"], stdout=file, check=True)
pathlib.Path("plain.ppm").unlink()

# A valid header of an image that no one wants to make.
Image.fromarray(RAMP).save("claims_900000_rows.png")
data = bytearray(pathlib.Path("claims_900000_rows.png").read_bytes())
data[16:24] = struct.pack(">II", 900000, 900000)
data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
pathlib.Path("claims_900000_rows.png").write_bytes(data)
