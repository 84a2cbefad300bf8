#!/usr/bin/python3
"""Writes the foreign samples of this folder (made with flac 1.4.2, soundfile 0.12.1)."""
import pathlib
import subprocess

import numpy
import soundfile

TIME = numpy.arange(20000)
NOISE = TIME * TIME * 37 % 401 - 200
LEFT = (8000 * numpy.sin(TIME / 30) + NOISE).astype(numpy.int16)
RIGHT = (7000 * numpy.sin(TIME / 31) - NOISE).astype(numpy.int16)

# Frames of 4096 samples, the samples' MD5, tables and tags in front.
soundfile.write("stereo.wav", numpy.stack([LEFT, RIGHT], axis=1), 44100, subtype="PCM_16")
subprocess.run(["flac", "--silent", "--force", "--best", "--tag=TITLE=ramp", "stereo.wav"],
               check=True)
pathlib.Path("stereo.wav").unlink()

# As LibriSpeech: 16 kHz, mono.
soundfile.write("mono.flac", LEFT, 16000, subtype="PCM_16")
