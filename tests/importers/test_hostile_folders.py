"""Folders of foreign formats that are broken or meant to break: a line that says what to mend, never a traceback."""

from pathlib import Path

import pytest

from headway.importers.dalestudy import DaleStudy
from headway.importers.oulad import Oulad
from headway.importers.records import ImportFailed, Reject

OULAD = {
    "courses": ["code_module,code_presentation,module_presentation_length", "AAA,2013J,268"],
    "assessments": ["code_module,code_presentation,id_assessment,assessment_type,date,weight", "AAA,2013J,11,TMA,5,10"],
    "studentRegistration": ["code_module,code_presentation,id_student,date_registration,date_unregistration"],
    "studentAssessment": ["id_assessment,id_student,date_submitted,is_banked,score"],
}


def rejects(folder: Path, file: str, line: str) -> list[str]:
    """What is said of a dataset with one more line."""
    for name, lines in OULAD.items():
        more = [line] if name == file else []
        (folder / f"{name}.csv").write_text("\n".join([*lines, *more, ""]))
    importer = Oulad([str(folder)])
    list(importer.manifests())
    return [item.message for item in importer.items(lambda _: None) if isinstance(item, Reject)]


@pytest.mark.parametrize("day", ["99999999999", "9999999", "-9999999"])
def test_a_day_that_no_calendar_has_is_refused_alone(tmp_path: Path, day: str) -> None:
    said = [f"day {day} from the start is on no calendar"]
    assert rejects(tmp_path, "studentRegistration", f"AAA,2013J,1,{day},") == said
    assert rejects(tmp_path, "studentAssessment", f"11,1,{day},0,78") == said


def test_an_assessment_without_a_number_is_refused_alone(tmp_path: Path) -> None:
    assert rejects(tmp_path, "assessments", "AAA,2013J,eleven,TMA,5,10") == [
        "id_assessment must be a number, not 'eleven'"
    ]


@pytest.mark.parametrize("code", ["0J", "0000B", "99999J", "\N{ARABIC-INDIC DIGIT TWO}013J"])
def test_a_presentation_in_no_year_is_none(tmp_path: Path, code: str) -> None:
    assert rejects(tmp_path, "courses", f"AAA,{code},268") == []


@pytest.mark.parametrize(
    "problems", ['{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", '{"a": {"difficulty": [], "categories": []}}']
)
def test_a_catalog_that_is_nested_or_of_the_wrong_types_is_refused(tmp_path: Path, problems: str) -> None:
    (tmp_path / "activity.csv").write_text("batch,learner,problem,lang,change,authored_at\n")
    (tmp_path / "problems.json").write_text(problems)
    with pytest.raises(ImportFailed):
        DaleStudy([str(tmp_path)])
