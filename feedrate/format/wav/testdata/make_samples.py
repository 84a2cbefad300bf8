#!/usr/bin/python3
"""Writes the foreign samples of this folder (made with soundfile 0.12.1, libsndfile 1.2.0)."""
import numpy
import soundfile

RAMP = (numpy.arange(600) * 37 % 4001 - 2000).astype(numpy.int16)

# The file that we write for a 1000-byte sample of compressibility 1.
soundfile.write("zeros_1000.wav", numpy.zeros(500, numpy.int16), 16000, subtype="PCM_16")
soundfile.write("stereo_float.wav", RAMP.reshape(300, 2) / 32768, 44100, subtype="FLOAT")
