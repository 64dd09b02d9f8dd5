"""Builds the wheel of iris-runtime (PEP 517) with nothing but the standard library, cmake and a C compiler,
so that `pip install .` works without a network. The wheel holds libiris, the hosts and the program too.
`--config-settings=build-dir=DIR`: from that tree, which was built for this very Python."""
import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import sysconfig
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = PROJECT["name"].replace("-", "_")
DIST_INFO = f"{NAME}-{PROJECT['version']}.dist-info"
PLATFORM = sysconfig.get_platform().replace("-", "_").replace(".", "_")
TAG = "cp{0}{1}-cp{0}{1}-{2}".format(*sys.version_info[:2], PLATFORM)
DATE = (2026, 1, 1, 0, 0, 0)  # the same wheel from the same sources


def get_requires_for_build_wheel(config_settings=None):
    return []


def run(*command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\niris-runtime is built from C: `make build` in the clone installs "
                 "what that needs (Debian), then try again.")


def build():
    """The tree of a build for this very Python."""
    tree = ROOT / "build" / f"wheel-{TAG}"
    run("cmake", "-S", str(ROOT), "-B", str(tree), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF",
        f"-DPython3_EXECUTABLE={sys.executable}")
    run("cmake", "--build", str(tree))
    return tree


def built(settings):
    tree = pathlib.Path((settings or {}).get("build-dir") or build())
    module = tree / "lib/iris/python/iris" / f"_iris{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not module.exists():
        sys.exit(f"{module} was not built: {sys.executable} has no headers; install python3-dev, or the like for this Python")
    return tree


def metadata():
    text = f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n"
    text += f"Summary: {PROJECT['description']}\nRequires-Python: {PROJECT['requires-python']}\n"
    readme = ROOT / PROJECT["readme"]
    return text + "Description-Content-Type: text/markdown\n\n" + (readme.read_text() if readme.exists() else "")


def about():
    """Path in the wheel -> text."""
    scripts = "".join(f"{name} = {target}\n" for name, target in PROJECT["scripts"].items())
    return {"METADATA": metadata(), "entry_points.txt": "[console_scripts]\n" + scripts,
            "WHEEL": f"Wheel-Version: 1.0\nGenerator: iris\nRoot-Is-Purelib: false\nTag: {TAG}\n"}


def contents(tree):
    """(path in the wheel, file)"""
    for file in sorted((tree / "lib/iris/python/iris").iterdir()):
        if file.is_file():
            yield f"iris/{file.name}", file
    yield "iris/lib/libiris.so.0", (tree / "lib/libiris.so.0").resolve()
    for file in sorted((tree / "lib/iris/hosts").glob("*.so")):
        yield f"iris/lib/iris/hosts/{file.name}", file
    yield "iris/bin/iris", tree / "bin/iris"


class Wheel:
    def __init__(self, path):
        self.zip, self.record = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED), []

    def add(self, name, data, mode=0o644):
        info = zipfile.ZipInfo(name, DATE)
        info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, (0o100000 | mode) << 16
        self.zip.writestr(info, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(data)}")

    def close(self):
        name = f"{DIST_INFO}/RECORD"
        self.record.append(f"{name},,")
        self.zip.writestr(zipfile.ZipInfo(name, DATE), "\n".join(self.record) + "\n")
        self.zip.close()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    tree, name = built(config_settings), f"{NAME}-{PROJECT['version']}-{TAG}.whl"
    wheel = Wheel(os.path.join(wheel_directory, name))
    for path, file in contents(tree):
        wheel.add(path, file.read_bytes(), 0o755 if path.endswith("bin/iris") or ".so" in path else 0o644)
    for path, text in about().items():
        wheel.add(f"{DIST_INFO}/{path}", text.encode())
    wheel.close()
    return name
