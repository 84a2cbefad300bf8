#!/usr/bin/python3
"""Writes the foreign samples of this folder (made with Pillow 9.4.0, libjpeg-turbo 2.1.5)."""
import numpy
from PIL import Image

RAMP = (numpy.arange(40 * 48 * 3) * 7 % 251).astype(numpy.uint8).reshape(40, 48, 3)

Image.fromarray(RAMP).save("progressive.jpg", quality=50, progressive=True)
Image.fromarray(RAMP[:, :, 0]).save("gray.jpg", quality=50)
Image.fromarray(RAMP).convert("CMYK").save("cmyk.jpg", quality=50)
