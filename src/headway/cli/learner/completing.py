"""Shell completion of COURSE and STEP, from what was last read, without asking a server."""


def course_names(incomplete: str) -> list[str]:
    """The courses known here."""
    return [name for name in _outlines() if name.startswith(incomplete)]


def step_names(incomplete: str) -> list[str]:
    """The steps known here: by their id alone within a course's folder, and as COURSE/STEP."""
    from headway.cli.learner.folders import course_around

    around = course_around()
    here = _outlines().get(around.course, []) if around is not None else []
    elsewhere = [f"{course}/{step}" for course, steps in _outlines().items() for step in steps]
    return [name for name in (*here, *elsewhere) if name.startswith(incomplete)]


def _outlines() -> dict[str, list[str]]:
    import json

    from headway.client.store import Store

    with Store().reading() as connection:
        rows = connection.execute(
            "SELECT body FROM cached WHERE path LIKE '/courses/%' AND path NOT LIKE '/courses/%/%'"
        )
        read = [json.loads(row["body"]) for row in rows]
    return {one["id"]: [step["id"] for module in one["modules"] for step in module["steps"]] for one in read}
