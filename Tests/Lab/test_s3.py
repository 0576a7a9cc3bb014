"""The S3 API as its clients use it, boto3 at its defaults and s3cmd, beside the Swift API over the same objects. Needs no
lab host.
"""
import base64
import contextlib
import hashlib
import io
import os
import pathlib
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import ssl

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from skerrylab.private import PrivateCloud
from skerrylab.waiting import eventually

MIB = 1 << 20
# What an agent may grow by while it takes in and gives out what is far larger.
ALLOWED = 48 * MIB
# For so long an agent goes on with what it heard of a key.
REMEMBERED = 30


@pytest.fixture(scope="module")
def cloud():
    with PrivateCloud(objects=True) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def admin(cloud):
    client = cloud.client()
    client.log_in("admin", cloud.password, "admin")
    return client


def key_pair(admin, user, project):
    answer = admin.send("POST", f"/identity/v3/users/{user}/credentials/OS-EC2", {"tenant_id": project})
    assert answer.status == 201, answer.body
    return answer.json["credential"]


def ids(admin, project="admin", user="admin"):
    users = admin.send("GET", f"/identity/v3/users?name={user}").json["users"]
    projects = admin.send("GET", f"/identity/v3/projects?name={project}").json["projects"]
    return users[0]["id"], projects[0]["id"]


def connect(cloud, pair, version=None, **options):
    return boto3.client(
        "s3", endpoint_url=cloud.object_url, verify=str(cloud.certificate), region_name="us-east-1",
        aws_access_key_id=pair["access"], aws_secret_access_key=pair["secret"],
        config=Config(
            s3={"addressing_style": "path", **options}, retries={"max_attempts": 1}, signature_version=version))


@pytest.fixture(scope="module")
def pair(admin):
    return key_pair(admin, *ids(admin))


@pytest.fixture(scope="module")
def s3(cloud, pair):
    return connect(cloud, pair)


@pytest.fixture
def bucket(s3, request):
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()
    s3.create_bucket(Bucket=name)
    yield name
    for item in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=item["Key"])
    s3.delete_bucket(Bucket=name)


@contextlib.contextmanager
def refused(code):
    with pytest.raises(ClientError) as raised:
        yield
    assert raised.value.response["Error"]["Code"] == code, raised.value


def test_catalog_lists_s3(cloud, admin):
    services = admin.send("GET", "/identity/v3/auth/catalog").json["catalog"]
    endpoints = [entry["endpoints"] for entry in services if entry["type"] == "s3"]
    assert endpoints and {endpoint["url"] for endpoint in endpoints[0]} == {cloud.object_url}


def test_objects_at_the_defaults(s3, bucket):
    content = os.urandom(100_000)
    made = s3.put_object(Bucket=bucket, Key="a/b c+ü", Body=content, Metadata={"colour": "red"}, ContentType="a/b")
    assert made["ETag"] == f'"{hashlib.md5(content).hexdigest()}"' and made["ChecksumType"] == "FULL_OBJECT"
    got = s3.get_object(Bucket=bucket, Key="a/b c+ü")
    assert got["Body"].read() == content and got["Metadata"] == {"colour": "red"} and got["ContentType"] == "a/b"
    assert s3.get_object(Bucket=bucket, Key="a/b c+ü", Range="bytes=5-9")["Body"].read() == content[5:10]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/b c+ü"})
    s3.put_object_tagging(Bucket=bucket, Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v w"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "k", "Value": "v w"}]
    page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [item["Key"] for item in page["Contents"]] == ["copy"]
    assert page["CommonPrefixes"] == [{"Prefix": "a/"}]
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key="copy", Body=b"x", IfNoneMatch="*")
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "none"}]})
    assert [item["Key"] for item in done["Deleted"]] == ["copy", "none"]
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="copy")
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    with refused("BucketAlreadyOwnedByYou"):
        s3.create_bucket(Bucket=bucket)
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    with refused("NotImplemented"):
        s3.put_bucket_policy(Bucket=bucket, Policy="{}")
    assert s3.get_bucket_versioning(Bucket=bucket).get("Status") is None
    s3.head_bucket(Bucket=bucket)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    content = os.urandom(70_000)
    made = s3.put_object(Bucket=bucket, Key="o", Body=io.BytesIO(content), ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key="o", ChecksumMode="ENABLED")
    assert made[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]
    if algorithm != "CRC32":
        value = base64.b64encode(hashlib.new(algorithm.lower(), content).digest()).decode()
        assert head[f"Checksum{algorithm}"] == value
    with refused("BadDigest"):
        s3.put_object(Bucket=bucket, Key="o", Body=content, ChecksumSHA256=base64.b64encode(bytes(32)).decode())


def test_bodies_whose_hash_is_signed(cloud, pair, bucket):
    """Over TLS a client does that only when it is told to."""
    signing = connect(cloud, pair, payload_signing_enabled=True)
    signing.put_object(Bucket=bucket, Key="o", Body=b"signed" * 10_000)
    assert signing.get_object(Bucket=bucket, Key="o")["Body"].read() == b"signed" * 10_000


def test_a_url_that_is_its_own_permission(cloud, pair, s3, bucket):
    """With version 4 of signatures, which boto3 has to be told for URLs: what it makes else is refused."""
    old = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "o"}, ExpiresIn=60)
    s3 = connect(cloud, pair, version="s3v4")
    context = ssl.create_default_context(cafile=str(cloud.certificate))
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "o"}, ExpiresIn=60)
    request = urllib.request.Request(put, b"by url", method="PUT", headers={"Content-Type": ""})
    assert urllib.request.urlopen(request, context=context).status == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "o"}, ExpiresIn=60)
    assert urllib.request.urlopen(get, context=context).read() == b"by url"
    for url, status in [(get.replace("/o?", "/p?"), 403), (get + "&versionId=null", 403), (old, 400)]:
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(url, context=context)
        assert raised.value.code == status


def memory(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) << 10


def test_parts(cloud, s3, bucket, tmp_path):
    """64 MiB go in and out in parts, and the agent stays as it was."""
    source, target = tmp_path / "source", tmp_path / "target"
    block = os.urandom(MIB)
    with source.open("wb") as file:
        for number in range(64):
            file.write(number.to_bytes(8, "big") + block[8:])
    s3.put_object(Bucket=bucket, Key="warm", Body=b"up" * MIB)
    before = memory(cloud.object_agent)
    transfer = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=2)
    s3.upload_file(str(source), bucket, "big", Config=transfer)
    s3.download_file(bucket, "big", str(target), Config=transfer)
    assert hashlib.sha256(source.read_bytes()).digest() == hashlib.sha256(target.read_bytes()).digest()
    assert memory(cloud.object_agent) - before < ALLOWED
    assert s3.head_object(Bucket=bucket, Key="big")["ETag"].endswith('-8"')
    # The server's own copy, in parts as well.
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy", Config=transfer)
    assert s3.head_object(Bucket=bucket, Key="copy")["ContentLength"] == 64 * MIB
    begun = s3.create_multipart_upload(Bucket=bucket, Key="never")
    part = {"Bucket": bucket, "Key": "never", "UploadId": begun["UploadId"]}
    s3.upload_part(PartNumber=1, Body=b"x", **part)
    assert len(s3.list_parts(**part)["Parts"]) == 1
    assert [entry["Key"] for entry in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["never"]
    s3.abort_multipart_upload(**part)
    with refused("NoSuchUpload"):
        s3.list_parts(**part)


def test_both_apis_see_the_same(cloud, s3, admin, bucket):
    _, project = ids(admin)
    swift = cloud.client(admin.token)
    swift.port = cloud.object_port
    account = f"/v1/AUTH_{project}/{bucket}"
    s3.put_object(Bucket=bucket, Key="from-s3", Body=b"one", Metadata={"m": "1"})
    answer = swift.send("GET", f"{account}/from-s3")
    assert answer.body == b"one" and answer.headers["X-Object-Meta-M"] == "1"
    assert swift.send("PUT", f"{account}/from-swift", b"two").status == 201
    assert s3.get_object(Bucket=bucket, Key="from-swift")["Body"].read() == b"two"
    assert swift.send("GET", account).body == b"from-s3\nfrom-swift\n"


def test_keys_that_open_nothing(cloud, s3, admin, pair, bucket):
    s3.put_object(Bucket=bucket, Key="o", Body=b"secret")
    with refused("SignatureDoesNotMatch"):
        connect(cloud, {**pair, "secret": "wrong"}).get_object(Bucket=bucket, Key="o")
    with refused("InvalidAccessKeyId"):
        connect(cloud, {**pair, "access": "nobody"}).get_object(Bucket=bucket, Key="o")
    # Another project's key sees none of it.
    made = admin.send("POST", "/identity/v3/projects", {"project": {"name": "s3-others", "domain_id": "default"}})
    other, (user, _) = made.json["project"]["id"], ids(admin)
    roles = admin.send("GET", "/identity/v3/roles?name=member").json["roles"]
    path = f"/identity/v3/projects/{other}/users/{user}/roles/{roles[0]['id']}"
    assert admin.send("PUT", path).status == 204
    foreign = key_pair(admin, user, other)
    stranger = connect(cloud, foreign)
    with refused("NoSuchBucket"):
        stranger.get_object(Bucket=bucket, Key="o")
    with refused("NoSuchBucket"):
        stranger.put_object(Bucket=bucket, Key="o", Body=b"x")
    assert stranger.list_buckets()["Buckets"] == []
    # Revoked, it is heard of within the time that the agent remembers.
    assert admin.send("DELETE", f"/identity/v3/users/{user}/credentials/OS-EC2/{foreign['access']}").status == 204
    began = time.monotonic()

    def is_revoked():
        try:
            stranger.list_buckets()
            return False
        except ClientError as error:
            return error.response["Error"]["Code"] == "InvalidAccessKeyId"
    eventually("the key opens nothing any more", is_revoked, REMEMBERED + 15, every=1)
    assert time.monotonic() - began < REMEMBERED + 15
    assert admin.send("DELETE", f"/identity/v3/projects/{other}").status == 204


def test_s3cmd(cloud, pair, tmp_path):
    if not shutil.which("s3cmd"):
        pytest.skip("there is no s3cmd here (Debian's package s3cmd)")
    settings = tmp_path / "s3cfg"
    host = cloud.object_url.removeprefix("https://")
    settings.write_text(
        f"[default]\naccess_key = {pair['access']}\nsecret_key = {pair['secret']}\nhost_base = {host}\n"
        f"host_bucket = {host}\nca_certs_file = {cloud.certificate}\nuse_https = True\n"
        "multipart_chunk_size_mb = 5\n")

    def s3cmd(*arguments):
        done = subprocess.run(
            ["s3cmd", "--config", settings, *arguments], capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(12 * MIB))
    s3cmd("mb", "s3://s3cmd-things")
    s3cmd("put", source, "s3://s3cmd-things/folder/a b")
    s3cmd("put", __file__, "s3://s3cmd-things/small")
    assert "s3://s3cmd-things/folder/" in s3cmd("ls", "s3://s3cmd-things")
    s3cmd("get", "s3://s3cmd-things/folder/a b", target)
    assert target.read_bytes() == source.read_bytes()
    s3cmd("cp", "s3://s3cmd-things/small", "s3://s3cmd-things/copy")
    assert "MD5 sum" in s3cmd("info", "s3://s3cmd-things/small")
    assert "s3://s3cmd-things" in s3cmd("ls")
    s3cmd("del", "--recursive", "--force", "s3://s3cmd-things")
    s3cmd("rb", "s3://s3cmd-things")
