"""Only safe and undamaged members of a zip are unpacked."""

import io
import stat
import struct
import tempfile
import tracemalloc
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_s.io.zip_reader import (
    LOCAL,
    MAX_FILE_BYTES,
    MAX_TOTAL_BYTES,
    BadMember,
    read_member,
    zipped_masks,
)
from imagenet_s.runtime.errors import UserError

MASK = "validation-segmentation/n01443537/ILSVRC2012_val_00000236.png"
README = "ImageNetS50/README.txt"
SEMI = "train-semi-segmentation/n01443537/n01443537_10007.png"

unhurried = settings(deadline=None)  # the first example pays for imports

# Where the fields of an entry of the central directory are (APPNOTE 4.3.12).
VERSION_NEEDED, FLAGS, METHOD, CRC, PACKED, SIZE, OFFSET = 6, 8, 10, 16, 20, 24, 42


def zip_of(path: Path, *members: str | zipfile.ZipInfo) -> Path:
    """Return a zip with these members, each of which contains its own name."""
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, str(member))
    return path


def patched(path: Path, field: int, layout: str, value: int) -> Path:
    """Overwrite one field of every entry of the zip's central directory, and return its path."""
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into(layout, data, at + field, value)
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(data)
    return path


def refused(path: Path) -> UserError:
    """Return the error for a zip, after checking that it names the file and that nothing was written."""
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(UserError) as caught:
        zipped_masks(path)
    assert sorted(path.parent.rglob("*")) == before
    assert str(path) in str(caught.value)
    return caught.value


def names(path: Path) -> dict[str, str]:
    """Return mask path → name of its member."""
    return {mask: member.name for mask, member in zipped_masks(path).items()}


def read(path: Path, mask: str = MASK) -> bytes:
    with path.open("rb") as file:
        return read_member(file.fileno(), zipped_masks(path)[mask])


def deflated(path: Path, data: bytes = b"mask " * 999, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Return a zip whose first member is the mask and contains `data`."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(MASK, data)
        archive.writestr(SEMI, b"another")
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "masks.zip"


@pytest.mark.parametrize(
    "root", ["ImageNetS50/", "", "another/", "a/b/c/", "ImageNetS50-a0fe9d82/ImageNetS50/"]
)
def test_masks_are_found_below_any_root_folder_or_none(path, root):
    zip_of(path, root + MASK, root + SEMI)
    assert names(path) == {MASK: root + MASK, SEMI: root + SEMI}


@pytest.mark.parametrize(
    "name",
    [
        README,
        "ImageNetS50/LICENSE",
        "ImageNetS50/validation/n01443537/ILSVRC2012_val_00000236.JPEG",
        "ImageNetS50/validation-segmentation/n01443537/notes.txt",
        "ImageNetS50/validation-segmentation/mask.png",
        "ImageNetS50/validation-segmentation/n01443537/deeper/mask.png",
        "ImageNetS50/validation-segmentation/n0144353/mask.png",
        "ImageNetS50/test-segmentation/n01443537/ILSVRC2012_val_00000262.png",
        "ImageNetS50/validation-segmentation-id16/n01443537/ILSVRC2012_val_00000236.png",
        "ImageNetS50/old-validation-segmentation/n01443537/ILSVRC2012_val_00000236.png",
        "ImageNetS50/validation-segmentation/n01443537/",
    ],
)
def test_other_members_are_ignored(path, name):
    zip_of(path, name, MASK)
    assert names(path) == {MASK: MASK}


@pytest.mark.parametrize(
    "shadow",
    [f"__MACOSX/{MASK}", f"__MACOSX/ImageNetS50/{MASK}", "/._ILSVRC".join(MASK.split("/ILSVRC"))],
)
def test_shadow_files_of_macos_are_ignored(path, shadow):
    zip_of(path, f"ImageNetS50/{MASK}", shadow)
    assert names(path) == {MASK: f"ImageNetS50/{MASK}"}


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "..",
        f"../{MASK}",
        f"ImageNetS50/../../{MASK}",
        "validation-segmentation/n01443537/../../../evil.png",
        "/etc/evil.png",
        f"/{MASK}",
        "C:/evil.png",
        f"c:{MASK}",
        "C:\\evil.png",
        "..\\evil.png",
        "\\\\server\\share\\evil.png",
        "validation-segmentation/n01443537/..\\..\\evil.png",
        "../evil/",
        "/abs/",
        "ImageNetS50/../../",
    ],
)
def test_names_that_lead_outside_are_refused(path, name):
    error = refused(zip_of(path, README, name))
    assert f"{name!r} leads outside the folder" in str(error)
    assert error.details == (f"{name!r} leads outside the folder",)


def test_a_name_with_a_zero_byte_is_refused(path):
    # zipfile silently cuts such a name at the zero byte.
    zip_of(path, f"{MASK}+.exe")
    path.write_bytes(path.read_bytes().replace(b".png+.exe", b".png\0.exe"))
    assert "leads outside the folder" in str(refused(path))


@pytest.mark.parametrize("root", ["", "ImageNetS50\\"])
def test_backslashes_in_names_are_read_as_slashes(path, root, caplog):
    caplog.set_level("INFO", "imagenet_s")
    masks = [root + name.replace("/", "\\") for name in (MASK, SEMI)]
    folder = zipfile.ZipInfo(f"{root}validation-segmentation\\")
    folder.external_attr = (stat.S_IFDIR | 0o755) << 16
    zip_of(path, folder, *masks)
    assert names(path) == dict(zip((MASK, SEMI), masks, strict=True))
    assert caplog.messages == [f"{path}: backslashes in names are read as slashes: {masks[0]}, {masks[1]}"]
    assert read(path, MASK) == masks[0].encode()


@pytest.mark.parametrize("other", [MASK, MASK.replace("/n", "\\n"), f"again\\{MASK}"])
def test_a_mask_with_slashes_and_with_backslashes_is_there_twice(path, other):
    assert refused(zip_of(path, MASK.replace("/", "\\"), other)).details == (f"{MASK!r} is there twice",)


def test_a_name_with_backslashes_must_be_the_same_in_its_own_header(path):
    zip_of(path, MASK.replace("/", "\\"))
    data = path.read_bytes()
    path.write_bytes(data.replace(MASK.replace("/", "\\").encode(), MASK.encode(), 1))
    with pytest.raises(BadMember, match="its own header says"):
        read(path)


@pytest.mark.parametrize(
    "shadow",
    [MASK.replace("n01443537/", "n01443537\\._"), f"__MACOSX\\{MASK}", f"@eaDir/{MASK}"],
)
def test_system_files_are_not_masks(path, shadow):
    assert names(zip_of(path, MASK, shadow)) == {MASK: MASK}


def test_folders_are_ignored(path):
    with zipfile.ZipFile(zip_of(path, MASK), "a") as archive:
        archive.mkdir("ImageNetS50/")
        archive.writestr("without a mode/", b"")
    assert names(path) == {MASK: MASK}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
@pytest.mark.parametrize("name", [MASK, "elsewhere", "folder/"])
def test_links_and_devices_are_refused(path, kind, name):
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o777) << 16
    error = refused(zip_of(path, SEMI, member))
    assert error.details == (f"{name!r} is a link or a device, not a file",)


@pytest.mark.parametrize("mode", [0, 0o644, stat.S_IFREG | 0o600])
def test_regular_files_are_accepted_with_any_mode(path, mode):
    member = zipfile.ZipInfo(MASK)
    member.external_attr = mode << 16
    assert names(zip_of(path, member)) == {MASK: MASK}


def test_encrypted_members_are_refused(path):
    patched(zip_of(path, MASK), FLAGS, "<H", 1)
    assert refused(path).details == (f"{MASK!r} is encrypted",)


def test_a_member_that_would_unpack_to_too_much_is_refused(path):
    patched(zip_of(path, MASK), SIZE, "<I", MAX_FILE_BYTES + 1)
    assert refused(path).details == (f"{MASK!r} would unpack to 64,000,001 bytes",)
    patched(path, SIZE, "<I", MAX_FILE_BYTES)
    assert names(path) == {MASK: MASK}


def test_a_zip_that_would_unpack_to_too_much_in_total_is_refused(path):
    names = [f"validation-segmentation/n01443537/{k}.png" for k in range(MAX_TOTAL_BYTES // MAX_FILE_BYTES)]
    patched(zip_of(path, *names), SIZE, "<I", MAX_FILE_BYTES)
    assert len(zipped_masks(path)) == 250
    patched(zip_of(path, *names, MASK), SIZE, "<I", MAX_FILE_BYTES)
    assert refused(path).details == ("it would unpack to more than 16 GB",)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", [f"ImageNetS50/{MASK}", MASK, f"other/{MASK}"])
def test_two_members_of_one_mask_are_refused(path, again):
    error = refused(zip_of(path, f"ImageNetS50/{MASK}", SEMI, again))
    assert error.details == (f"{MASK!r} is there twice",)


def test_all_unsafe_members_are_reported_at_once(path):
    names = [f"../evil-{k}.png" for k in range(7)]
    error = refused(zip_of(path, *names, MASK))
    assert error.details == tuple(f"{name!r} leads outside the folder" for name in names)
    assert "'../evil-0.png'" in str(error)
    assert "(7 in all)" in str(error)
    assert "Nothing was unpacked" in str(error)


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html><title>Sign in</title>", b"PK\x03\x04 and no more"])
def test_a_file_that_is_not_a_zip_is_refused(path, data):
    path.write_bytes(data)
    assert "cannot be read as a zip" in str(refused(path))


def test_a_truncated_zip_is_refused(path):
    whole = zip_of(path, MASK, SEMI).read_bytes()
    for end in (len(whole) - 1, len(whole) - 30, len(whole) // 2, 10):
        path.write_bytes(whole[:end])
        assert "cannot be read as a zip" in str(refused(path))


def test_a_zip_of_a_newer_kind_is_refused(path):
    # zipfile raises NotImplementedError, not BadZipFile.
    patched(zip_of(path, MASK), VERSION_NEEDED, "<H", 100)
    assert "cannot be read as a zip" in str(refused(path))


def test_a_zip_with_a_damaged_name_is_refused(path):
    # zipfile raises UnicodeDecodeError, not BadZipFile.
    zip_of(path, f"é/{MASK}")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xc3/"))
    assert "cannot be read as a zip" in str(refused(path))


def test_a_zip_with_a_member_without_a_name_is_refused(path):
    zip_of(path, f"x/{MASK}")
    data = path.read_bytes()
    name = data.rindex(b"x/" + MASK.encode())  # in the central directory
    path.write_bytes(data[:name] + b"\0" + data[name + 1 :])  # zipfile ends a name there
    assert f"{path} cannot be read as a zip: a member has no name. Get it again." in str(refused(path))


@unhurried
@given(
    st.binary(max_size=3000),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.binary(max_size=9),
)
def test_members_are_read_as_zipfile_reads_them(data, method, before):
    with tempfile.TemporaryDirectory() as folder:
        path = deflated(Path(folder, "masks.zip"), data, method)
        path.write_bytes(before + path.read_bytes())  # as in self-extracting archives
        assert read(path) == data
        assert read(path, SEMI) == b"another"


class OneWay(io.BytesIO):
    """A stream without seek: zipfile writes sizes and CRC after each member, not before it."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def test_members_whose_sizes_come_after_them_are_read(path):
    stream = OneWay()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"é/{MASK}", b"mask " * 999)
        archive.writestr(SEMI, b"another")
    path.write_bytes(stream.getvalue())
    assert struct.unpack_from("<I", path.read_bytes(), 14) == (0,)  # no CRC in the local header
    assert read(path) == b"mask " * 999
    assert read(path, SEMI) == b"another"


def test_members_with_sizes_of_64_bits_are_read(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (MASK, SEMI):
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(b"mask")
    assert read(path) == read(path, SEMI) == b"mask"


@pytest.mark.parametrize(
    ("field", "layout", "value", "why"),
    [
        (SIZE, "<I", 4994, "does not unpack to 4,994 bytes"),
        (SIZE, "<I", 4996, "does not unpack to 4,996 bytes"),
        (SIZE, "<I", 0, "does not unpack to 0 bytes"),
        (CRC, "<I", 1, "CRC-32"),
        (PACKED, "<I", 9, "end early"),
        (PACKED, "<I", 0, "end early"),
        (PACKED, "<I", 3000, "overlaps what follows it"),
        (METHOD, "<H", zipfile.ZIP_STORED, "compression method 8"),
        (OFFSET, "<I", 1, "its header is missing"),
    ],
)
def test_a_member_that_differs_from_the_directory_is_refused(path, field, layout, value, why):
    patched(deflated(path), field, layout, value)
    with pytest.raises(BadMember, match=why):
        read(path)


def test_a_member_that_unpacks_to_more_than_its_size_is_not_unpacked_completely(path):
    patched(deflated(path, bytes(MAX_FILE_BYTES)), SIZE, "<I", 10)
    tracemalloc.start()
    with pytest.raises(BadMember, match="does not unpack to 10 bytes"):
        read(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1_000_000


def test_a_member_with_another_name_in_its_own_header_is_refused(path):
    data = deflated(path).read_bytes()
    path.write_bytes(data.replace(b"236.png", b"237.png", 1))
    with pytest.raises(BadMember, match=r"its own header says .*237\.png"):
        read(path)


def test_a_member_inside_another_is_refused(path):
    inner = deflated(path).read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MASK, inner)
        hidden = archive.filelist[0].header_offset + LOCAL.size + len(MASK)
        archive.writestr(SEMI, b"mask")
        archive.filelist[1].header_offset = hidden  # the inner zip's first header
    with pytest.raises(BadMember, match="overlaps what follows it"):
        read(path)


def test_members_beyond_the_end_are_refused(path):
    patched(deflated(path), OFFSET, "<I", 1 << 31)
    assert "members lie outside" in str(refused(path))


def test_too_many_packed_bytes_are_refused(path):
    patched(zip_of(path, MASK), PACKED, "<I", MAX_FILE_BYTES + 1)
    assert refused(path).details == (f"{MASK!r} has 64,000,001 compressed bytes",)


@unhurried
@given(st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4))
def test_members_of_a_damaged_zip_are_read_correctly_or_refused(changes):
    with tempfile.TemporaryDirectory() as folder:
        path = deflated(Path(folder, "masks.zip"))
        data = bytearray(path.read_bytes())
        for at, value in changes:
            data[at % len(data)] = value
        path.write_bytes(data)
        try:
            members = zipped_masks(path)
        except UserError:
            return
        for mask, member in members.items():
            with suppress(BadMember):
                assert zlib.crc32(read(path, mask)) == member.crc
