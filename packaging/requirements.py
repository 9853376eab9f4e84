"""What the wheel and the npm package ask of DuckDB, from the releases that the extension supports."""


def numbers_of(release: str) -> tuple[int, int, int]:
    """Returns v2.0.1 as (2, 0, 1)."""
    major, minor, patch = release.removeprefix("v").split(".")
    return int(major), int(minor), int(patch)


def python_requirement(supported: list[str]) -> str:
    """Returns a requirement for pip: from the oldest release to the newest, without those between that are not supported.

    A requirement cannot name alternatives. So what may still come after the last supported patch of an older series is named up to .9.
    """
    numbers = sorted(numbers_of(release) for release in supported)
    lowest, newest = numbers[0], numbers[-1]
    clauses = [f">={'.'.join(map(str, lowest))}", f"<={'.'.join(map(str, newest))}"]
    for series in sorted({release[:2] for release in numbers}):
        first = lowest[2] if series == lowest[:2] else 0
        last = newest[2] if series == newest[:2] else 9
        clauses += [f"!={series[0]}.{series[1]}.{patch}" for patch in range(first, last + 1) if (*series, patch) not in numbers]
    # Whole series that were left out.
    for (major, minor, _), (next_major, next_minor, _) in zip(numbers, numbers[1:]):
        if major == next_major:
            clauses += [f"!={major}.{between}.*" for between in range(minor + 1, next_minor)]
    return "duckdb" + ",".join(clauses)


def npm_range(supported: list[str]) -> str:
    """Returns a range for npm: each supported release, with the revisions of the Node package, such as 1.5.6-r.1, which npm takes for
    prereleases and lets match only a bound that is a prerelease of the same release."""
    releases = [release.removeprefix("v") for release in supported]
    return " || ".join(f">={release}-0 <={release}" for release in releases)
