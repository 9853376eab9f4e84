"""Some seconds of the soak; `make soak` runs an hour. See soak.py."""

from soak import soak

SECONDS = 25


def test_tables_show_what_the_server_had_whatever_happens(extension, api_server, tmp_path):
    failures = soak(extension, api_server, tmp_path, seed=1, seconds=SECONDS)
    assert not failures, "\n".join(failures)
