#!/usr/bin/env python3
"""Memory that looks like storage, in every way that this host's kernel has, and storage that must be
called storage: each case makes a data set there, trains on it with direct reads where they work, and
holds the result's verdict against what is true. Needs root. What is mounted goes away with the
mount namespace of this script; loop and zram devices are given back whatever happens."""
import argparse
import contextlib
import ctypes
import json
import mmap
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SIZES = ["--set", "dataset.sample_bytes_stdev=0", "--set", "dataset.sample_bytes_mean=8000000"]
FILES = 8  # of 8 MB
STORAGE_RUNS = 3


class Skip(Exception):
    pass


def run(*words, check=True):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True)
    if check and done.returncode != 0:
        raise Skip(f"{words[0]}: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return done.stdout.strip()


class Bench:
    """A folder on disk, and what has to be undone, last first."""

    def __init__(self, feedrate, folder):
        self.feedrate, self.folder, self.undo = feedrate, pathlib.Path(folder), contextlib.ExitStack()
        self.numbers = iter(range(1000))

    def new(self, name="m"):
        path = self.folder / f"{name}{next(self.numbers)}"
        path.mkdir()
        return path

    def mount(self, *words, at=None):
        at = at or self.new()
        run("mount", *words, at)
        self.undo.callback(run, "umount", "-l", at, check=False)
        return at

    def memory(self, kind="tmpfs"):
        needs_file_system(kind)
        return self.mount("-t", kind, "-o", "size=400m" if kind == "tmpfs" else "rw", kind)

    def image(self, folder, megabytes=200):
        path = folder / f"image{next(self.numbers)}"
        run("truncate", "-s", f"{megabytes}M", path)
        return path

    def loop(self, file, direct=True):
        words = ["losetup", "-f", "--show"] + (["--direct-io=on"] if direct else [])
        device = run(*words, file)
        self.undo.callback(run, "losetup", "-d", device, check=False)
        return device

    def zram(self, megabytes=250):
        control = pathlib.Path("/sys/class/zram-control")
        if not control.exists():
            raise Skip("this kernel has no zram")
        number = (control / "hot_add").read_text().strip()

        def remove():
            pathlib.Path(f"/sys/block/zram{number}/reset").write_text("1")
            (control / "hot_remove").write_text(number)

        self.undo.callback(remove)
        pathlib.Path(f"/sys/block/zram{number}/disksize").write_text(f"{megabytes}M")
        return f"/dev/zram{number}"

    def formatted(self, device, kind="ext4", *options):
        needs_file_system(kind)
        if not shutil.which("mkfs." + kind):
            raise Skip(f"mkfs.{kind} is not installed")
        run("mkfs." + kind, *{"ext4": ["-q", "-F"]}.get(kind, ["-q", "-f"]), device)
        return self.mount("-t", kind, *options, device)

    def datagen(self, folder):
        data = pathlib.Path(folder) / "data"
        run(self.feedrate, "datagen", "unet3d", data, "--quiet", "--set", f"dataset.files={FILES}",
            *SIZES)
        run("sync")
        return data


def needs_file_system(kind):
    known = [line.split()[-1] for line in open("/proc/filesystems")]
    if kind not in known:
        raise Skip(f"this kernel has no {kind}")


# ---- what is memory -------------------------------------------------------------------------------

def tmpfs(b):
    return b.datagen(b.memory())


def ramfs(b):
    return b.datagen(b.memory("ramfs"))


def zram_ext4(b):
    return b.datagen(b.formatted(b.zram()))


def zram_xfs(b):
    return b.datagen(b.formatted(b.zram(400), "xfs"))


def ram_disk(b):
    if not os.path.exists("/dev/ram0"):
        raise Skip("this kernel has no RAM disk (brd)")
    return b.datagen(b.formatted("/dev/ram0"))


def loop_on_tmpfs(b):
    return b.datagen(b.formatted(b.loop(b.image(b.memory()))))


def buffered_loop_on_tmpfs(b):
    return b.datagen(b.formatted(b.loop(b.image(b.memory()), direct=False)))


def loop_on_ramfs(b):
    return b.datagen(b.formatted(b.loop(b.image(b.memory("ramfs")), direct=False)))


def loop_on_loop_on_tmpfs(b):
    below = b.formatted(b.loop(b.image(b.memory(), 380)))
    return b.datagen(b.formatted(b.loop(b.image(below))))


def loop_on_a_removed_file(b):
    image = b.image(b.memory())
    device = b.loop(image)
    image.unlink()
    return b.datagen(b.formatted(device))


def loop_on_nameless_memory(b):
    fd = os.memfd_create("image")
    b.undo.callback(os.close, fd)
    os.ftruncate(fd, 200 << 20)
    return b.datagen(b.formatted(b.loop(f"/proc/{os.getpid()}/fd/{fd}", direct=False)))


def btrfs_on_loops_on_tmpfs(b):
    needs_file_system("btrfs")
    memory = b.memory()
    loops = [b.loop(b.image(memory, 190)) for _ in range(2)]
    run("mkfs.btrfs", "-q", "-f", "-d", "raid0", *loops)
    return b.datagen(b.mount("-t", "btrfs", "-o", f"device={loops[1]}", loops[0]))


def xfs_on_loop_on_tmpfs(b):
    needs_file_system("xfs")
    memory = b.mount("-t", "tmpfs", "-o", "size=600m", "tmpfs")
    return b.datagen(b.formatted(b.loop(b.image(memory, 400)), "xfs"))


def overlay(b, lower, upper_root):
    upper, work = upper_root / "upper", upper_root / "work"
    upper.mkdir()
    work.mkdir()
    return b.mount("-t", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}",
                   "overlay")


def overlay_upper_in_memory(b):
    return b.datagen(overlay(b, b.new("lower"), b.memory()))


def overlay_lower_in_memory(b):
    lower = b.memory()
    b.datagen(lower)
    return overlay(b, lower, b.new("upper")) / "data"


def overlay_on_loop_on_tmpfs(b):
    return b.datagen(overlay(b, b.new("lower"), b.formatted(b.loop(b.image(b.memory())))))


def bind_of_tmpfs(b):
    source = b.datagen(b.memory())
    return b.mount("--bind", source)


def bind_of_a_folder_of_tmpfs_in_a_data_set(b):
    data = b.datagen(b.new("disk"))
    memory = b.memory()
    shutil.copytree(data / "train", memory / "train")
    b.mount("--bind", memory / "train", at=data / "train")
    return data


def link_to_tmpfs(b):
    data = b.datagen(b.memory())
    link = b.new("disk") / "data"
    link.symlink_to(data)
    return link


def every_file_a_link_to_tmpfs(b, count=FILES):
    data = b.datagen(b.new("disk"))
    memory = b.memory()
    for file in sorted((data / "train").iterdir())[:count]:
        shutil.move(file, memory / file.name)
        file.symlink_to(memory / file.name)
    return data


def half_of_the_files_links_to_tmpfs(b):
    return every_file_a_link_to_tmpfs(b, FILES // 2)


def image_of(b, kind, folder):
    needs_file_system(kind)
    source, image = b.datagen(b.new("source")), folder / f"image.{kind}"
    if kind == "squashfs":
        run("mksquashfs", source.parent, image, "-quiet", "-no-progress", "-noI", "-noD", "-noF")
    else:
        run("mkfs.erofs", "--quiet", image, source.parent)
    return image


def erofs_image_on_tmpfs(b):
    return b.mount("-t", "erofs", b.loop(image_of(b, "erofs", b.memory()))) / "data"


def erofs_image_without_a_loop_on_tmpfs(b):
    image, at = image_of(b, "erofs", b.memory()), b.new()  # mount(8) would make a loop device
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(str(image).encode(), str(at).encode(), b"erofs", 1, b"") != 0:
        raise Skip("erofs mounts no files here: " + os.strerror(ctypes.get_errno()))
    b.undo.callback(run, "umount", "-l", at, check=False)
    return at / "data"


def squashfs_image_on_tmpfs(b):
    return b.mount("-t", "squashfs", b.loop(image_of(b, "squashfs", b.memory()))) / "data"


def hugetlbfs(b):
    needs_file_system("hugetlbfs")
    setting = pathlib.Path("/proc/sys/vm/nr_hugepages")
    before = setting.read_text()
    b.undo.callback(setting.write_text, before)
    setting.write_text(str(int(before) + 34))
    memory = b.mount("-t", "hugetlbfs", "none")
    huge = 2 << 20
    for number in range(FILES):  # it takes no write(), only pages
        with open(memory / f"file{number}", "w+b") as file:
            file.truncate(4 * huge)
            try:
                with mmap.mmap(file.fileno(), 4 * huge) as pages:
                    for at in range(0, 4 * huge, 4096):
                        pages[at:at + 8] = number.to_bytes(8, "little")
            except OSError as error:
                raise Skip(f"huge pages cannot be had: {error}") from error
    return ["--data", memory, "--format", "file"]


def device_mapper_on_zram(b):
    if not os.path.exists("/dev/mapper/control"):
        raise Skip("this kernel has no device mapper")
    device = b.zram()
    sectors = run("blockdev", "--getsz", device)
    run("dmsetup", "create", "feedrate-test", "--table", f"0 {sectors} linear {device} 0")
    b.undo.callback(run, "dmsetup", "remove", "-f", "feedrate-test", check=False)
    return b.datagen(b.formatted("/dev/mapper/feedrate-test"))


def md_of_loops_on_tmpfs(b):
    if not os.path.exists("/proc/mdstat") or not shutil.which("mdadm"):
        raise Skip("no md in this kernel, or no mdadm")
    memory = b.memory()
    loops = [b.loop(b.image(memory, 190)) for _ in range(2)]
    run("mdadm", "--create", "/dev/md127", "--run", "--level=0", "--raid-devices=2", *loops)
    b.undo.callback(run, "mdadm", "--stop", "/dev/md127", check=False)
    return b.datagen(b.formatted("/dev/md127"))


def scsi_debug(b):
    if not os.path.exists("/sys/bus/pseudo/drivers/scsi_debug"):
        raise Skip("this kernel has no scsi_debug")
    raise Skip("scsi_debug is not set up here")


def pmem(b):
    if not os.path.exists("/dev/pmem0"):
        raise Skip("there is no pmem device")
    return b.datagen(b.formatted("/dev/pmem0", "ext4", "-o", "dax"))


# ---- memory by the counters: the file system does not tell ---------------------------------------

def warm_buffered_loop(b):
    data = b.datagen(b.formatted(b.loop(b.image(b.new("disk")), direct=False)))
    for file in b.folder.glob("disk*/image*"):
        file.read_bytes()
    return data


def ext4_that_journals_data(b):
    return b.datagen(b.formatted(b.loop(b.image(b.new("disk"))), "ext4", "-o", "data=journal"))


# ---- nobody can tell ------------------------------------------------------------------------------

def fuse(b, back):
    if not os.path.exists("/dev/fuse"):
        raise Skip("this kernel has no FUSE")
    program = b.folder / "faultfs"
    if not program.exists():
        flags = run("pkg-config", "--cflags", "--libs", "fuse3").split()
        run("g++", "-std=c++20", "-O1", HERE / "faultfs.cc", "-o", program, *flags)
    at = b.new()
    run(program, back, at)
    b.undo.callback(run, "umount", "-l", at, check=False)
    return at


def fuse_from_tmpfs(b):
    data = b.datagen(b.memory())
    return fuse(b, data.parent) / "data"


def fuse_from_disk(b):
    data = b.datagen(b.new("disk"))
    return fuse(b, data.parent) / "data"


# ---- what is storage ------------------------------------------------------------------------------

def this_disk(b):
    return b.datagen(b.new("disk"))


def bind_of_this_disk(b):
    return b.mount("--bind", b.datagen(b.new("disk")))


def on_loop(kind, megabytes=200):
    def make(b):
        return b.datagen(b.formatted(b.loop(b.image(b.new("disk"), megabytes)), kind))
    return make


def overlay_on_this_disk(b):
    lower = b.new("lower")
    b.datagen(lower)
    return overlay(b, lower, b.new("upper")) / "data"


def erofs_image_on_this_disk(b):
    return b.mount("-t", "erofs", b.loop(image_of(b, "erofs", b.new("disk")))) / "data"


MEMORY = [tmpfs, ramfs, zram_ext4, zram_xfs, ram_disk, loop_on_tmpfs, buffered_loop_on_tmpfs,
          loop_on_ramfs, loop_on_loop_on_tmpfs, loop_on_a_removed_file, loop_on_nameless_memory,
          btrfs_on_loops_on_tmpfs, xfs_on_loop_on_tmpfs, overlay_upper_in_memory,
          overlay_lower_in_memory, overlay_on_loop_on_tmpfs, bind_of_tmpfs,
          bind_of_a_folder_of_tmpfs_in_a_data_set, link_to_tmpfs, every_file_a_link_to_tmpfs,
          erofs_image_on_tmpfs, erofs_image_without_a_loop_on_tmpfs, squashfs_image_on_tmpfs,
          hugetlbfs, device_mapper_on_zram, md_of_loops_on_tmpfs, scsi_debug, pmem]
COUNTED = [half_of_the_files_links_to_tmpfs, warm_buffered_loop, ext4_that_journals_data]
UNKNOWN = [fuse_from_tmpfs, fuse_from_disk]
STORAGE = {"ext4 (or what /var/tmp has)": this_disk, "a bind mount of it": bind_of_this_disk,
           "ext4 on a loop device": on_loop("ext4"), "xfs on a loop device": on_loop("xfs", 400),
           "btrfs on a loop device": on_loop("btrfs", 400),
           "an overlay": overlay_on_this_disk, "an erofs image": erofs_image_on_this_disk}


def train(b, data, *more):
    result = b.folder / "result.json"
    place = data if isinstance(data, list) else [data]
    done = subprocess.run(
        [b.feedrate, "train", "unet3d", *place, "--batch", "2", "--step-time", "1ms", "--epochs",
         "2", "--quiet", "--json", result, *more], text=True, capture_output=True)
    if not result.exists():
        raise AssertionError(f"no result: {done.stderr}")
    report = json.loads(result.read_text())
    read = {**report["result"], **report}
    result.unlink()
    return done, read


def doctor_verdict(b, data):
    place = ["--data", data[1]] if isinstance(data, list) else [data]
    report = json.loads(run(b.feedrate, "doctor", *place[-1:], "--json", "-", check=False))
    return next((finding["verdict"] for finding in report["result"]["findings"]
                 if finding["check"] == "file system"), None)


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(word) for word in what))


def judge_memory(b, data):
    done, read = train(b, data)
    io = read["io"]
    expect(not read["valid"] and done.returncode == 4, "not INVALID:", io)
    expect(io["origin"] == "memory" and io["storage_share"] == 0, "not called memory:", io)
    expect("came from this host's memory, not from storage" in done.stdout, done.stdout)
    expect(doctor_verdict(b, data) == "bad", "doctor does not say bad, but", doctor_verdict(b, data))
    done, read = train(b, data, "--io", "buffered", "--cache", "measure")
    expect(read["valid"] and done.returncode == 0, "asked for, and yet INVALID:", done.stdout)
    return read["io"]["origin_reason"]


def judge_counted(b, data):
    done, read = train(b, data)
    expect(not read["valid"] and done.returncode == 4, "not INVALID:", read["io"])
    expect(read["io"]["storage_share"] < 0.95, "called storage:", read["io"])
    return f"storage {read['io']['storage_share']:.1%}"


def judge_unknown(b, data):
    done, read = train(b, data)
    io = read["io"]
    expect(read["valid"] and done.returncode == 0, "INVALID:", done.stdout)
    expect(io["origin"] == "unknown" and io["storage_share"] is None, "not unknown:", io)
    expect("(where the bytes came from is unknown)" in done.stdout, done.stdout)
    return io["origin_reason"]


def judge_storage(b, data):
    shares = []
    for _ in range(STORAGE_RUNS):
        done, read = train(b, data)
        io = read["io"]
        expect(read["valid"] and done.returncode == 0, "INVALID:", done.stdout)
        expect(io["origin"] == "storage" and io["storage_share"] >= 0.95, "not storage:", io)
        expect(not any("came from" in line for line in read["warnings"]), read["warnings"])
        shares.append(io["storage_share"])
    expect(doctor_verdict(b, data) != "bad", "doctor says bad")
    return "storage " + ", ".join(f"{share:.1%}" for share in shares)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feedrate", required=True, type=pathlib.Path)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("memory_in_disguise.py: root is needed, to mount")
    if not options.inside:  # in a mount namespace of its own
        os.execvp("unshare", ["unshare", "-m", sys.executable, __file__, "--inside", *sys.argv[1:]])
    ctypes.CDLL(None).prctl(1, 15)  # a terminated parent ends this, too, by SIGTERM
    cases = [(case.__name__.replace("_", " "), case, judge_memory) for case in MEMORY]
    cases += [(case.__name__.replace("_", " "), case, judge_counted) for case in COUNTED]
    cases += [(case.__name__.replace("_", " "), case, judge_unknown) for case in UNKNOWN]
    cases += [(name, case, judge_storage) for name, case in STORAGE.items()]
    counts = {"ok": 0, "FAILED": 0, "skipped": 0}
    for name, case, judge in cases:
        if options.only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="feedrate_disguise_", dir="/var/tmp") as folder:
            bench = Bench(options.feedrate.resolve(), folder)
            with bench.undo:
                try:
                    outcome, text = "ok", judge(bench, case(bench))
                except Skip as reason:
                    outcome, text = "skipped", str(reason)
                except AssertionError as error:
                    outcome, text = "FAILED", str(error)
        counts[outcome] += 1
        print(f"{judge.__name__[6:]}: {name}: {outcome}: {text}", flush=True)
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['skipped']} skipped")
    if counts["ok"] == 0:
        sys.exit("memory_in_disguise.py: no case ran")
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
