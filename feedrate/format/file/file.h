// One sample = one whole file of any kind (JPEG, PNG, .npy, raw): the format of last resort.
//
// Files of ours are the raw content of their sample. A foreign file has no checksum that we know,
// so there is nothing to verify in it.
//
// Reference reader: PIL.Image.open(path).convert("RGB"), as torchvision's default loader calls it.
// PIL.ImageFile.MAXBLOCK = 65536 is the size of a read; strace on Pillow 9.4.0 (Debian 12) with a
// 974 kB JPEG confirms: 4096 + 61440 B first (Python's buffer fills with the header), then 65536 B
// each until the end.
#pragma once

#include "feedrate/format/format.h"

// Declared in feedrate/format/format.h: file_format().
