"""Formats that hold one image or recording: read by Pillow, djpeg, soundfile, flac, pydicom..."""
import io
import subprocess
import wave


def run(check, what, *command):
    """Runs a foreign tool that must be content with the file."""
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as missing:
        check.skip(what, missing)
        return b""
    check.that(done.returncode == 0, f"{what}: {command[0]} accepts it")
    if done.returncode != 0:
        print(done.stderr.decode(errors="replace"))
    return done.stdout


def check_wav(check, file):
    content, what = file.content(), file.path.name
    with wave.open(str(file.path)) as sound:
        form = (sound.getnchannels(), sound.getsampwidth(), sound.getframerate())
        samples = sound.readframes(sound.getnframes())
    check.that(form == (1, 2, 16000), f"{what}: 16-bit mono at 16 kHz")
    check.that(samples == content + bytes(len(content) % 2), f"{what}: samples are the content")
    import soundfile
    samples, rate = soundfile.read(file.path, dtype="int16")
    check.that(samples.tobytes()[:len(content)] == content and rate == 16000,
               f"{what}: soundfile reads the content")


def check_flac(check, file):
    content, what = file.content(), file.path.name
    run(check, what, "flac", "--test", "--silent", str(file.path))
    raw = run(check, what, "flac", "--decode", "--silent", "--stdout", "--force-raw-format",
              "--endian=big", "--sign=signed", str(file.path))
    if raw:
        check.that(raw[:len(content)] == content and len(raw) - len(content) < 2,
                   f"{what}: flac decodes the content")
    import soundfile
    samples, rate = soundfile.read(file.path, dtype="int16")
    check.that(samples.byteswap().tobytes()[:len(content)] == content and rate == 16000,
               f"{what}: soundfile reads the content")


def check_jpeg(check, file):
    what = file.path.name
    ppm = run(check, what, "djpeg", "-strict", "-pnm", str(file.path))
    from PIL import Image
    with Image.open(file.path) as image:
        pixels = image.convert("RGB")
    check.that(image.format == "JPEG" and min(pixels.size) >= 16, f"{what}: Pillow decodes it")
    if ppm:
        with Image.open(io.BytesIO(ppm)) as other:
            check.that(other.size == pixels.size, f"{what}: djpeg and Pillow see the same size")


def check_png(check, file):
    content, what = file.content(), file.path.name
    from PIL import Image, PngImagePlugin
    with Image.open(file.path) as image:
        image.load()
    with PngImagePlugin.PngImageFile(file.path) as verified:
        verified.verify()  # the checksums of all chunks
    row = 1 + 3 * image.width
    rows = (content + bytes(4))[:max(row * image.height, 4)]
    pixels = b"".join(rows[at + 1:at + row] for at in range(0, row * image.height, row))
    check.that(image.mode == "RGB" and image.tobytes() == pixels,
               f"{what}: the pixels are the content")
    ppm = run(check, what, "pngtopnm", str(file.path))
    if ppm:
        check.that(ppm.endswith(pixels), f"{what}: pngtopnm reads the content")


def check_dicom(check, file):
    content, what = file.content(), file.path.name
    dump = run(check, what, "dcmdump", "--load-all", str(file.path)).decode()
    if dump:
        syntax = "Implicit" if "implicit" in file.spec else "Explicit"
        check.that(f"Little Endian {syntax}" in dump, f"{what}: {syntax} VR Little Endian")
        check.that("Used TransferSyntax" in dump and "E: " not in dump, f"{what}: no complaint")
    import pydicom
    data = pydicom.dcmread(file.path)
    pixels = data.pixel_array
    stored = pixels.tobytes() + bytes(data[0xFFFC, 0xFFFC].value or b"")
    check.that(pixels.dtype.itemsize == 2 and pixels.shape == (data.Rows, data.Columns),
               f"{what}: {data.Rows} x {data.Columns} pixels of 16 bits")
    check.that(stored[:len(content)] == content, f"{what}: pixels and padding are the content")
    label = data.private_block(0x0029, "FEEDRATE")[0].value
    label = int.from_bytes(label, "little") if isinstance(label, bytes) else label
    check.that(label == file.label, f"{what}: label {file.label}")
