"""A few cases of the kill harness; `make kill` runs many. See kill.py."""

import pytest

import ledger_quirks
from kill import Kills

N_CASES = 12

# Of each quirk by itself.
N_CASES_OF_QUIRK = 2


def test_loads_survive_being_disturbed(python, extension, api_server, tmp_path):
    kills = Kills(extension, api_server, tmp_path, seed=1)
    for number in range(N_CASES):
        kills.run(python.release, number)
    print(kills.summary())
    kills.check()


@pytest.mark.parametrize("quirk", ledger_quirks.NAMES)
def test_loads_from_sources_that_are_not_plain_survive_it(python, extension, api_server, tmp_path, quirk):
    kills = Kills(extension, api_server, tmp_path, seed=2, quirks=quirk)
    for number in range(N_CASES_OF_QUIRK):
        kills.run(python.release, number)
    print(kills.summary())
    assert len(kills.reports) == N_CASES_OF_QUIRK, "\n".join(kills.failures)
