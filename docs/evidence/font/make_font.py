"""Make the fonts of Hangul in kafkasim/data from two font files of Nanum Gothic.

    python docs/evidence/font/make_font.py NanumGothic.ttf kafkasim-hangul.ttf
    python docs/evidence/font/make_font.py NanumGothicBold.ttf kafkasim-hangul-bold.ttf

Kept are the 2,350 syllables of KS X 1001, its compatibility jamo, Latin and what stands
between words; hinting and kerning are left out, which a figure's text does not need.
The Open Font License reserves the original's names, so the subset bears its own. The
same input gives the same bytes with the same fontTools.
"""

import hashlib
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

STYLES = {
    "48a28e97b34fc8e5b157657633670cd1b7de126cfc414da65ce9c3d5bc8be733": "Regular",
    "454eb3f503f377782a99eb84fc4bb7dde22a0f075d41b47427737f2985053bc9": "Bold",
}
"""SHA-256 of a font file → the style of its subset."""
NAME = "Kafkasim Hangul"
COPYRIGHT = (
    "Copyright (c) 2010, NAVER Corporation (http://www.nhncorp.com). "
    "Copyright (c) 2011 NHN Corporation. All rights reserved. Font designed by Sandoll "
    "Communications Inc. A subset made for kafkasim, under another name."
)
LICENCE = (
    "This Font Software is licensed under the SIL Open Font License, Version 1.1. "
    "The text stands beside the file and at http://scripts.sil.org/OFL"
)


def names_of(style: str) -> dict[int, str]:
    """Return the texts of the table of names, by number."""
    whole = NAME if style == "Regular" else f"{NAME} {style}"
    return {
        0: COPYRIGHT,
        1: NAME,
        2: style,
        3: f"{NAME} {style} 1",
        4: whole,
        5: "Version 1.000",
        6: whole.replace(" ", ""),
        13: LICENCE,
        14: "http://scripts.sil.org/OFL",
    }


def syllables() -> set[int]:
    """Return the syllables of KS X 1001: those that EUC-KR writes in two bytes."""
    found = {code for code in range(0xAC00, 0xD7A4) if _two_bytes(code)}
    assert len(found) == 2350
    return found


def _two_bytes(code: int) -> bool:
    return len(chr(code).encode("euc_kr")) == 2


def kept() -> set[int]:
    """Return every character of the subset."""
    latin = {*range(0x20, 0x7F), *range(0xA0, 0x100)}
    jamo = set(range(0x3131, 0x318F))
    between = {ord(sign) for sign in "–—\u2018\u2019“”…·→←↑↓×÷−≤≥、。「」『』〈〉《》"}
    return syllables() | latin | jamo | between


def make(source: Path, target: Path) -> None:
    """Write the subset."""
    style = STYLES.get(hashlib.sha256(source.read_bytes()).hexdigest())
    if style is None:
        sys.exit(f"{source} is another version of the font")
    font = TTFont(source, recalcTimestamp=False)
    options = Options(
        hinting=False, layout_features=[], name_IDs=[], notdef_outline=True
    )
    options.drop_tables += ["kern", "TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=kept())
    subsetter.subset(font)
    font["name"].names = []
    for number, text in names_of(style).items():
        font["name"].setName(text, number, 3, 1, 0x409)
    if style == "Bold":
        font["OS/2"].usWeightClass = 700  # the original says 600, which is less
    font.save(target)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
    body = Path(sys.argv[2]).read_bytes()
    print(f"{len(body):,} bytes, sha256 {hashlib.sha256(body).hexdigest()}")
