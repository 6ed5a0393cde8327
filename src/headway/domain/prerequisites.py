"""Which modules require which: a missing module and a circle are faults of the author's."""

from collections.abc import Iterator, Mapping, Sequence

from headway.domain.faults import Faults, show


def check_prerequisites(requires: Mapping[str, Sequence[str]], paths: Mapping[str, str], faults: Faults) -> None:
    """Note required modules that do not exist, and circles, naming each module in them."""
    for module, needed in requires.items():
        for missing in needed:
            if missing not in requires:
                hint = faults.did_you_mean(missing, requires) or "; leave it out, or add the module"
                faults.add(paths[module], f"there is no module {show(missing)}{hint}")
    for circle in circles(requires):
        chain = " → ".join([*circle, circle[0]])
        faults.add(
            paths[circle[0]],
            f"these modules require each other in a circle, so that none could ever be opened: {chain}; take one"
            " requirement out (a module that does not say `requires` requires the one before it)",
        )


def circles(requires: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Circles that share no module, each from its first module in the course's order."""
    place = {module: i for i, module in enumerate(requires)}
    left = dict.fromkeys(requires)
    _take_out_what_can_open(left, requires)
    while left:
        circle = _follow(next(iter(left)), left, requires)
        start = circle.index(min(circle, key=place.__getitem__))
        yield circle[start:] + circle[:start]
        for module in circle:
            del left[module]
        _take_out_what_can_open(left, requires)


def _take_out_what_can_open(left: dict[str, None], requires: Mapping[str, Sequence[str]]) -> None:
    size = -1
    while size != len(left):
        size = len(left)
        for module in list(left):
            if left.keys().isdisjoint(requires[module]):
                del left[module]


def _follow(module: str, left: Mapping[str, None], requires: Mapping[str, Sequence[str]]) -> list[str]:
    """A circle found from a module that cannot open: each such module requires another, so that it comes round."""
    trail: dict[str, None] = {}
    while module not in trail:
        trail[module] = None
        module = next(needed for needed in requires[module] if needed in left)
    walked = list(trail)
    return walked[walked.index(module) :]
