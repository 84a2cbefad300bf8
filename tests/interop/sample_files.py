"""What check_formats.py and trace_readers.py share: files of our writer, and counting checks."""
import pathlib
import subprocess
import zlib

SEED = "42"


class SampleFile:
    """One file of ours; `spec` is a format with its options, "dicom,transfer_syntax=implicit".

    With `foreign`, Python that writes to `path`, it is a file of someone else.
    """

    def __init__(self, program, directory, spec, label, sizes, foreign=""):
        self.program, self.spec, self.label, self.sizes = program, spec, label, sizes
        self.format = spec.split(",")[0]
        name = "-".join([spec.replace(",", "-").replace("=", "-"), str(label)])
        sizes_name = "-".join(map(str, sizes)) if len(sizes) < 8 else f"{len(sizes)}x{sizes[0]}"
        self.path = pathlib.Path(directory) / f"{name}-{sizes_name}.{self.format}"
        if foreign:
            self.path = pathlib.Path(directory) / f"foreign-{zlib.crc32(foreign.encode())}.{self.format}"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if foreign:
            subprocess.run(["/usr/bin/python3", "-c", f"path = '{self.path}'\n{foreign}"],
                           check=True)
        else:
            self.render(spec, self.path, sizes)

    def render(self, spec, path, sizes):
        subprocess.run([self.program, "render", spec, path, SEED, str(self.label),
                        *map(str, sizes)], check=True)

    def content(self):
        """The content of the first sample, of all when they share one."""
        path = self.path.with_suffix(".content")
        one = self.format in ("megatron", "raw")
        self.render("file", path, [sum(self.sizes) if one else self.sizes[0]])
        data = path.read_bytes()
        path.unlink()
        return data

    def located(self):
        """[(offset, length)] of what our index says that a reader touches."""
        done = subprocess.run([self.program, "locate", self.spec, self.path], check=True,
                              capture_output=True, text=True)
        return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]


class Check:
    def __init__(self):
        self.done = self.failed = 0

    def that(self, condition, what):
        print("ok  " if condition else "FAIL", what, flush=True)
        self.done += 1
        self.failed += not condition

    def skip(self, what, reason):
        print("skip", f"{what}: {reason}", flush=True)

    def status(self):
        print(f"{self.done} checks, {self.failed} failed")
        if self.done == 0:
            return 77
        return 1 if self.failed else 0
