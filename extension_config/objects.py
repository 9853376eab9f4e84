"""Compares compiled bridges: reads the code and data of an object file, whatever the order that the compiler wrote them in."""

import pathlib
import struct
from dataclasses import dataclass, field

SYMTAB, RELA, NOBITS = 2, 4, 8
ALLOCATED, MERGED, STRINGS = 0x2, 0x10, 0x20


@dataclass
class Section:
    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    entry_size: int
    content: bytes = b""
    # Place, kind, what is there and what is added to it.
    relocations: list[tuple] = field(default_factory=list)


def text_at(table: bytes, at: int) -> str:
    return table[at:table.index(b"\0", at)].decode()


def sections_of(data: bytes) -> list[Section]:
    assert data[:6] == b"\x7fELF\x02\x01", "expected an ELF object of a 64-bit little-endian machine"
    (start,) = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    if count == 0:
        # More sections than the header can count: the first section says how many.
        (count,) = struct.unpack_from("<Q", data, start + 32)
    if names == 0xFFFF:
        (names,) = struct.unpack_from("<I", data, start + 40)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, start + size * idx) for idx in range(count)]
    table = data[headers[names][4]:][:headers[names][5]]
    sections = [Section(text_at(table, at), kind, flags, where, long, link, info, each) for at, kind, flags, _, where, long, link, info, _, each in headers]
    for section in sections:
        section.content = b"" if section.kind == NOBITS else data[section.offset:][:section.size]
    return sections


def target_of(symbol: tuple, added: int, names: bytes, sections: list[Section]) -> tuple:
    """Returns what a relocation leads to: a name, or for what has none of its own the text, or the place, that it stands for."""
    name_at, about, _, section_idx, value, _ = symbol
    name = text_at(names, name_at)
    if not 0 < section_idx < len(sections):
        return name, added
    section = sections[section_idx]
    if section.flags & MERGED:
        # Constants are shared and have no order. On a section as a whole, the place is in what is added.
        is_section = about & 0xF == 3
        at = value + (added if is_section else 0)
        end = section.content.find(b"\0" * section.entry_size, at) if section.flags & STRINGS else at + section.entry_size
        return section.content[at:end], 0 if is_section else added
    is_local = about >> 4 == 0
    return (section.name, value) if is_local else name, added


def relocate(sections: list[Section]) -> None:
    for section in sections:
        if section.kind != RELA:
            continue
        symbols = sections[section.link]
        names = sections[symbols.link].content
        for place, info, added in struct.iter_unpack("<QQq", section.content):
            symbol = struct.unpack_from("<IBBHQQ", symbols.content, 24 * (info >> 32))
            sections[section.info].relocations.append((place, info & 0xFFFFFFFF, target_of(symbol, added, names, sections)))


def parts_of(path: pathlib.Path) -> dict[str, list]:
    """Returns what an object file puts into memory, by section, but for the constants (which stand where they are used) and the tables
    for unwinding (which follow from the code)."""
    sections = sections_of(path.read_bytes())
    relocate(sections)
    parts: dict[str, list] = {}
    for section in sections:
        if section.flags & ALLOCATED and not section.flags & MERGED and section.name != ".eh_frame":
            parts.setdefault(section.name, []).append((section.size, section.content, sorted(section.relocations)))
    return {name: sorted(found, key=repr) for name, found in parts.items()}


def differing(one: pathlib.Path, other: pathlib.Path) -> list[str]:
    """Returns the names of the sections that two object files do not have alike."""
    left, right = parts_of(one), parts_of(other)
    return sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
