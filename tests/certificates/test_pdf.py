"""The PDF: one page whatever the name, honest about what it cannot show, and the same bytes for the same facts."""

import subprocess
import sys
import threading
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from headway.certificates import pdf
from headway.certificates.facts import CertificateFacts, Issuer
from headway.certificates.pdf import NAMELESS, certificate_pdf, is_shown
from tests.certificates.samples import FACTS, ID, ISSUER, REVOKED

BOX = "\u25a1"
LACKING = f"{BOX} is a character that this page has no font for"


def read(facts: CertificateFacts, issuer: Issuer = ISSUER) -> tuple[PdfReader, str]:
    found = PdfReader(BytesIO(certificate_pdf(facts, issuer)))
    assert len(found.pages) == 1
    return found, found.pages[0].extract_text().replace("\u200b", "")


def text(facts: CertificateFacts) -> str:
    return read(facts)[1]


def named(name: str) -> str:
    return text(FACTS._replace(learner_name=name))


def test_it_tells_the_facts_and_leads_to_the_page_that_verifies_it() -> None:
    found, told = read(FACTS)
    for one in ("Ada Lovelace", "Python basics", "87.5 %", "1 March 2026", ID, "Learn", ISSUER.page(ID)):
        assert one in told
    assert "RUN\n" not in told
    assert BOX not in told
    links: list[Any] = [one.get_object() for one in found.pages[0].annotations or ()]
    assert [one["/A"]["/URI"] for one in links] == [ISSUER.page(ID)]
    # A4, lying.
    assert [round(float(side) / 72 * 25.4) for side in found.pages[0].mediabox[2:]] == [297, 210]


def test_a_later_run_is_told() -> None:
    assert "RUN\n2" in text(FACTS._replace(run=2))


def test_a_revoked_one_says_so_and_why() -> None:
    told = text(REVOKED)
    assert "REVOKED" in told
    assert "Revoked on 2 March 2026. The final was somebody else's." in told
    assert "REVOKED" not in text(FACTS)


def test_whoever_has_no_name_is_told_to_have_none() -> None:
    assert NAMELESS in text(FACTS._replace(learner_name=None))


@pytest.mark.parametrize(
    "name",
    [
        '#panic("x")',
        "#{1+1} *b* _i_ $x^2$ `raw`",
        "\\ \\u{41} @ref <label> // c /* c */",
        '"; import "x"',
        "= Heading",
        "- item",
        "#sys.inputs",
        "{{name}} ${name} %s",
        "--- ... ~ '' \"",
    ],
)
def test_a_name_is_text_and_never_markup(name: str) -> None:
    assert name in named(name)
    assert name in text(FACTS._replace(course_title=name))


@pytest.mark.parametrize("name", ["Žofie Nguyễn Ærøskøbing", "Кирилл Ελλάδα", "ქართული Հայերեն", "Zoë ★ ♥"])
def test_letters_that_the_fonts_have_are_shown(name: str) -> None:
    assert name in named(name)
    assert LACKING not in named(name)


@pytest.mark.parametrize("name", ["דוד בן־גוריון", "محمد علي", "محمد Ada"])
def test_names_from_right_to_left_are_shown(name: str) -> None:
    told = named(name)
    assert LACKING not in told
    assert all(one in told for one in name if one.isalpha())


@pytest.mark.parametrize(
    ("name", "shown"),
    [("山田 太郎", "□□ □□"), ("Ada 🚀", "Ada □"), ("김 민수", "□ □□"), ("ไทย", "□□□"), ("አማርኛ", "□□□□")],
)
def test_what_no_font_has_is_a_box_and_the_page_says_so(name: str, shown: str) -> None:
    told = named(name)
    assert shown in told
    assert LACKING in told
    assert LACKING in text(FACTS._replace(course_title=name))


def test_a_character_that_cannot_stand_where_it_does_still_gives_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "is_shown", lambda *_: True)
    told = named("山 Ada")
    assert f"{BOX} Ada" in told
    assert LACKING in told


@pytest.mark.parametrize(
    "facts",
    [
        FACTS._replace(learner_name="W" * 200, course_title="M" * 500),
        FACTS._replace(learner_name="A name " * 28, course_title="A title " * 62),
        FACTS._replace(learner_name="a" + "\u0301" * 199, course_title="\u0301"),
        FACTS._replace(learner_name="\u200d" * 50 + "x", course_title=" "),
        REVOKED._replace(revoked_reason="W" * 500, learner_name="山" * 200, run=10**9),
        REVOKED._replace(revoked_reason="Why? " * 100, learner_name="W " * 100),
    ],
)
def test_no_text_is_too_long_for_the_page(facts: CertificateFacts) -> None:
    _, told = read(facts)
    for one in (ID, ISSUER.page(ID), "87.5 %", "1 March 2026"):
        assert one in told


def test_words_longer_than_a_line_are_broken() -> None:
    lines = text(FACTS._replace(learner_name="W" * 200, course_title="M" * 500)).split("\n")
    for letter, count in (("W", 200), ("M", 500)):
        broken = [line for line in lines if line and not line.strip(letter)]
        assert sum(map(len, broken)) == count
        assert max(map(len, broken)) <= 120


def test_a_long_address_stays_in_one_piece() -> None:
    issuer = Issuer(f"https://{'learn.' * 30}example.org", "Learn " * 33)
    assert issuer.page(ID) in read(FACTS, issuer)[1]


def test_the_same_facts_give_the_same_bytes_in_every_process() -> None:
    here = certificate_pdf(REVOKED, ISSUER)
    assert certificate_pdf(REVOKED, ISSUER) == here
    assert certificate_pdf(REVOKED._replace(issued_at=REVOKED.issued_at + 60_000_000), ISSUER) != here
    code = (
        "from hashlib import sha256; from headway.certificates.pdf import certificate_pdf;"
        "from tests.certificates.samples import *; print(sha256(certificate_pdf(REVOKED, ISSUER)).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == sha256(here).hexdigest()


def test_several_can_be_made_at_once() -> None:
    alone = [certificate_pdf(FACTS._replace(run=run), ISSUER) for run in range(1, 9)]
    made: dict[int, bytes] = {}

    def make(run: int) -> None:
        made[run] = certificate_pdf(FACTS._replace(run=run), ISSUER)

    threads = [threading.Thread(target=make, args=(run,)) for run in range(1, 9)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [made[run] for run in range(1, 9)] == alone


def test_fonts_of_the_machine_play_no_part_and_those_of_a_folder_do(tmp_path: Path) -> None:
    def families(folder: str | None) -> set[str]:
        return {one.family for one in pdf._fonts(folder).fonts()}

    own = {"Libertinus Serif", "New Computer Modern", "New Computer Modern Math", "DejaVu Sans Mono"}
    assert families(None) == own
    font = next(Path("/usr/share/fonts").rglob("Liberation*.ttf"), None)
    if font is None:
        pytest.skip("there is no font on this machine to try with")
    (tmp_path / "mine.ttf").write_bytes(font.read_bytes())
    assert families(str(tmp_path)) > own
    assert is_shown("a", str(tmp_path))
    assert read(FACTS)[1] == PdfReader(BytesIO(certificate_pdf(FACTS, ISSUER, str(tmp_path)))).pages[0].extract_text()
