"""Examples of courses as readers see them: of the manifest in `examples.py`."""

from typing import Any, Final

_WEIGHTS: Final[dict[str, Any]] = {"lesson": 10, "quiz": 30, "assignment": 40, "assessment": 20}
_POLICIES: Final[dict[str, Any]] = {
    "lesson": "average",
    "quiz": "best",
    "assignment": "best",
    "assessment": "latest",
    "exercise": "best",
}
_PLAIN: Final[dict[str, Any]] = {
    "kind": "exercise",
    "pass_mark": 70,
    "weight": 1,
    "points": 10,
    "prompt": None,
    "body": None,
    "url": None,
    "grader": None,
    "renamed_from": [],
    "files": [],
    "test": None,
}
_FIZZ: Final[dict[str, Any]] = _PLAIN | {
    "id": "fizz",
    "title": "FizzBuzz",
    "topics": ["loops"],
    "files": ["fizz.py"],
    "test": {"command": ["python", "-m", "pytest"], "report": None, "format": "exit", "timeout_s": 60},
}
COURSES: Final[dict[str, Any]] = {
    "items": [
        {"id": "python-basics", "title": "Python basics", "version": 2, "created_at": "2026-01-05T08:00:00.000000Z"}
    ],
    "next_cursor": None,
}
OUTLINE: Final[dict[str, Any]] = {
    "version": 2,
    "id": "python-basics",
    "title": "Python basics",
    "description": None,
    "locale": None,
    "certificate": True,
    "pass_mark": 80,
    "complete_by": "score",
    "weights": _WEIGHTS,
    "policies": _POLICIES,
    "evidence": "any",
    "modules": [
        {
            "id": "loops",
            "title": "Loops",
            "description": None,
            "requires": [],
            "pass_mark": 80,
            "complete_by": "score",
            "weight": 1,
            "weights": _WEIGHTS,
            "policies": _POLICIES,
            "steps": [
                _PLAIN | {"id": "for-1", "kind": "lesson", "title": "For loops", "topics": ["loops"], "points": 5},
                _PLAIN
                | {
                    "id": "loops-quiz",
                    "kind": "quiz",
                    "title": "Quiz",
                    "topics": ["loops"],
                    "prompt": "What does range(3) give?",
                    "grader": {"type": "choice", "options": {"a": "0 1 2", "b": "1 2 3"}},
                },
                _FIZZ,
            ],
            "renamed_from": [],
        },
        {
            "id": "functions",
            "title": "Functions",
            "description": None,
            "requires": ["loops"],
            "pass_mark": 80,
            "complete_by": "score",
            "weight": 1,
            "weights": _WEIGHTS,
            "policies": _POLICIES,
            "steps": [
                _PLAIN | {"id": "def-1", "kind": "lesson", "title": "def", "topics": ["functions"], "points": 5},
                _PLAIN | {"id": "greet", "title": "Greeting", "topics": ["functions"]},
            ],
            "renamed_from": [],
        },
    ],
}
STEP: Final[dict[str, Any]] = _FIZZ | {"version": 2, "files": {"fizz.py": "def fizz(n):\n    pass\n"}}
