"""Requests signed by Signature Version 4, with a service that checks signatures (moto)."""

import json
import os
import subprocess

import pytest

import servers

# Makes buckets and a user that may list them, and prints its key. moto checks signatures after these requests, and the one that finds it ready.
USER = """
import boto3, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
for name in ("first", "second"):
    s3.create_bucket(Bucket=name)
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
iam.create_user(UserName="me")
document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy(UserName="me", PolicyName="all", PolicyDocument=json.dumps(document))
key = iam.create_access_key(UserName="me")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """The address of a moto server, and the id and secret of a key that it knows."""
    program = servers.installed("moto/bin/moto_server", "moto")
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    with servers.running(command, address, tmp_path_factory.mktemp("moto"), INITIAL_NO_AUTH_ACTION_COUNT="6"):
        making = [str(program.parent / "python"), "-c", USER, address]
        made = subprocess.run(making, check=True, capture_output=True, text=True, env=os.environ)
        yield address, *json.loads(made.stdout)


def test_signatures_are_checked_and_right(python, around, moto):
    address, key, secret = moto
    asked = "SELECT status FROM unify_http('{name}', '/', params := MAP {{'a b': 'c d+e/f', 'A': 'ü', 'a': ''}})"
    script = f"""
        con = connect()
        for name, key in (("good", '{secret}'), ("wrong_key", '{secret[::-1]}')):
            con.execute(f"CREATE CONNECTION {{name}} (ADAPTER aws_buckets, host '{address}', region 'us-east-1', access_key_id '{key}', secret_access_key '{{key}}')")
            print(con.execute({asked!r}.format(name=name)).fetchall())
        print(con.execute("SELECT \\"Name\\" FROM good.buckets ORDER BY ALL").fetchall())
        try:
            con.execute("SELECT * FROM wrong_key.buckets")
        except duckdb.Error as err:
            print(str(err).replace(chr(10), " "))
    """
    told = python.run(around, script).check().stdout
    assert secret not in told and secret[::-1] not in told
    good, bad, buckets, error = told.splitlines()
    assert buckets == "[('first',), ('second',)]", told
    assert (good, bad) == ("[(200,)]", "[(403,)]"), told
    assert "returned 403 (Forbidden)" in error and "check the options 'access_key_id' and 'secret_access_key' and 'session_token'" in error, told
