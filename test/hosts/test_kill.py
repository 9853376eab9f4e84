"""A few cases of the kill harness; `make kill` runs many. See kill.py."""

from kill import Kills

N_CASES = 12


def test_loads_survive_being_disturbed(python, extension, api_server, tmp_path):
    kills = Kills(extension, api_server, tmp_path, seed=1)
    for number in range(N_CASES):
        kills.run(python.release, number)
    print(kills.summary())
    kills.check()
