#!/usr/bin/python3
"""Writes the foreign samples of this folder (made with pydicom 2.3.1, DCMTK 3.6.7, Pillow 9.4.0)."""
import pathlib
import subprocess

import numpy
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

RAMP = (numpy.arange(40 * 48) * 7 % 251).astype(numpy.uint16).reshape(40, 48)


def image():
    """Pixels behind sequences in sequences."""
    inner = Dataset()
    inner.CodeValue = "T-D1100"
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(
        entropy_srcs=["feedrate"])
    data.PatientName, data.PatientID, data.Modality = "A^B", "7", "CT"
    data.ReferencedImageSequence = Sequence([outer, Dataset(), outer])
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = RAMP.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.PixelData = RAMP.tobytes()
    data["PixelData"].VR = "OW"
    data.is_little_endian, data.is_implicit_VR = True, False
    return data


def convert(name, *options):
    subprocess.run(["dcmconv", *options, "explicit.dcm", name], check=True)


image().save_as("explicit.dcm", write_like_original=False)
convert("implicit.dcm", "--write-xfer-implicit")
convert("undefined.dcm", "--write-xfer-implicit", "--length-undefined")
convert("undefined_explicit.dcm", "--write-xfer-little", "--length-undefined")
convert("big_endian.dcm", "--write-xfer-big")
convert("deflated.dcm", "--write-xfer-deflated")
rle = image()
rle.compress(RLELossless)
rle.save_as("rle.dcm", write_like_original=False)
Image.fromarray(RAMP.astype(numpy.uint8)).save("ramp.jpg")
subprocess.run(["img2dcm", "--no-checks", "ramp.jpg", "jpeg.dcm"], check=True)
pathlib.Path("ramp.jpg").unlink()
