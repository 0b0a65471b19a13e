"""Hosts, tokens and answers that are not as they should be."""

import json
import socket
import ssl
from pathlib import Path

import pytest

from components.errors import UsageError
from pipeline.submission import api
from tests.certificate import self_signed
from tests.pipeline.submission.kfp_server import KfpServer

TOKEN = "eyJhbGciOi.very-secret.c2ln"


@pytest.fixture
def token_file(tmp_path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cron", "0 3 * * *", "--wait"), "nothing to --wait for"),
        (("--timeout", "3"), "--timeout limits --wait"),
        (("--wait", "--timeout", "0"), "'--timeout': 0.0 is not in the range x>0"),
        (("--set", "train.epoch=1"), "train.epoch: unknown key"),
        (("--ca-cert", "/no/such.pem"), "--ca-cert /no/such.pem: no PEM certificates"),
    ],
)
def test_a_wrong_call(submit, server, arguments, said):
    result = submit(*arguments)

    assert result.code == 2
    assert said in result.err
    assert server.requests == []


def test_no_data(submit, server):
    result = submit(data=False)

    assert result.code == 2
    assert "no data: pass --data PATH" in result.err


def test_no_host_outside_of_a_pod(submit):
    result = submit(host="")

    assert result.code == 2
    assert result.err.startswith("sentiflow: no --host URL")


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8888",
        "ftp://localhost",
        "http://",
        "http://localhost:port",
        "http://localhost:99999",
        "http://[::1",
        "http://localhost:8888/#/runs",
        "not a url",
        "http://exa mple",
        "http://a..b",
        "http://host\n",
    ],
)
def test_a_host_that_is_no_url(submit, host):
    result = submit(host=host)

    assert result.code == 2
    assert result.err == (
        f"sentiflow: --host {host!r}: expected a URL as in http://localhost:8888\n"
    )


def test_a_password_in_the_host_is_refused_and_not_shown(submit):
    result = submit(host="http://me:hunter2@localhost:8888")

    assert result.code == 2
    assert "hunter2" not in result.err


def test_connection_refused(submit):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # but does not listen
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = submit(host=host)

    assert result.code == 1
    assert result.err == (f"sentiflow: {host}: cannot be reached: [Errno 111] Connection refused\n")


def test_a_host_that_does_not_exist(submit):
    result = submit(host="http://kfp.invalid")

    assert result.code == 1
    assert result.err.startswith("sentiflow: http://kfp.invalid: ")


def test_no_answer(submit, server, monkeypatch):
    monkeypatch.setattr(api, "TIMEOUT", (0.3, 0.3))
    server.silent.add("/apis/v2beta1/healthz")

    result = submit()

    assert result.code == 1
    assert result.err == f"sentiflow: {server.url}: no answer in time\n"
    assert len(server.requests) == 1


def test_tls_spoken_to_a_plain_server(submit, server):
    result = submit(host=server.url.replace("http:", "https:"))

    assert result.code in (1, 2)
    assert result.err.startswith("sentiflow: https://127.0.0.1:")


@pytest.mark.parametrize("page", ["<html><body>Welcome to nginx!</body></html>", "[]", '"up"', ""])
def test_another_server_that_answers_200(submit, server, page):
    server.answers["/apis/v2beta1/healthz"] = (200, page)

    result = submit()

    assert result.code == 2
    assert "answers, but not as the API of Kubeflow Pipelines" in result.err


def test_another_server_that_answers_404(submit, server):
    server.answers["/apis/v2beta1/healthz"] = (404, "<html>404</html>")

    result = submit()

    assert result.code == 2
    assert result.err == (f"sentiflow: {server.url}: not found: Not Found (is --host right?)\n")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/apis/v2beta1/pipelines", '{"pipelines": [{"name": "x"}]}'),
        ("/apis/v2beta1/pipelines", '{"pipelines": "many"}'),
        ("/apis/v2beta1/pipelines", '{"pipelines": [{"created_at": "yesterdayish"}]}'),
        ("/apis/v2beta1/pipelines/upload_version", "<html>"),
        ("/apis/v2beta1/runs", "{}"),
    ],
)
def test_garbage(submit, server, path, answer):
    server.answers[path] = (200, answer)

    result = submit()

    assert result.code == 1
    assert "API" in result.err or "Failed to parse" in result.err


def test_trouble_of_the_server_itself(submit, server):
    message = json.dumps({"message": "Internal error:\n  the database is gone", "code": 13})
    server.answers["/apis/v2beta1/runs"] = (500, message)

    result = submit()

    assert result.code == 1
    assert result.err == (
        f"sentiflow: {server.url} failed: 500 Internal error: the database is gone\n"
    )


def test_the_token_goes_into_the_header_and_nowhere_else(submit, server, token_file, tmp_path):
    server.token = TOKEN

    result = submit("--token-file", str(token_file))

    assert result.code == 0
    assert len(server.requests) >= 8
    for request in server.requests:
        assert request.headers.pop("authorization") == f"Bearer {TOKEN}"
        assert TOKEN not in request.path + str(request.headers) + request.body.decode()
    assert TOKEN not in result.out + result.err
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != token_file]
    assert left == []


def test_the_token_file_is_read_for_each_call(server, token_file):
    server.token = TOKEN
    connected = api.Api(server.url, str(token_file))

    server.token = "the-next-one"
    token_file.write_text("the-next-one")

    assert connected.get("/apis/v2beta1/healthz")["tag_name"] == "2.16.0"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token(submit, server, token_file, status):
    echoed = json.dumps({"message": f"Bearer {TOKEN} is not allowed to create runs"})
    server.answers["/apis/v2beta1/runs"] = (status, echoed)

    result = submit("--token-file", str(token_file))

    assert result.code == 2
    assert result.err == (
        f"sentiflow: {server.url} refuses the token in {token_file}:"
        f" {status} Bearer <token> is not allowed to create runs\n"
    )


def test_a_missing_token(submit, server):
    server.token = TOKEN

    result = submit()

    assert result.code == 2
    assert f"{server.url} refuses a call without token: 401" in result.err
    assert "pass --token-file" in result.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory"),
        (b"", "expected one token, found none or several words"),
        (b"first\nsecond\n", "expected one token"),
        (b"\xff\xfe", "not a token: it is not plain ASCII"),
    ],
)
def test_a_token_file_without_a_token(submit, server, tmp_path, content, said):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    result = submit("--token-file", str(path))

    assert result.code == 2
    assert result.err.startswith(f"sentiflow: token file {path}: ")
    assert said in result.err
    assert server.requests == []


def test_in_a_pod_the_projected_token_is_taken(monkeypatch, server, token_file):
    server.token = TOKEN
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token_file))
    monkeypatch.setattr(api, "IN_CLUSTER_HOST", server.url)

    connected = api.Api()

    assert connected.host == server.url
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_the_projected_token_is_for_no_other_host(monkeypatch, server, token_file):
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token_file))

    api.Api(server.url)

    assert "authorization" not in server.requests[0].headers


def test_a_redirect_does_not_take_the_token_elsewhere(submit, server, token_file):
    with KfpServer().running() as elsewhere:
        server.redirects["/apis/v2beta1/healthz"] = f"{elsewhere.url}/dex/auth"
        elsewhere.answers["/dex/auth"] = (200, "<html>Log in</html>")

        result = submit("--token-file", str(token_file))

    assert result.code == 2
    assert "a login page that wants --token-file" in result.err
    assert "authorization" in server.requests[0].headers
    assert [request.path for request in elsewhere.requests] == ["/dex/auth"]
    assert "authorization" not in elsewhere.requests[0].headers


def test_what_kfp_left_in_the_home_is_not_sent(submit, server, tmp_path, monkeypatch):
    context = tmp_path / ".config/kfp/context.json"
    context.parent.mkdir(parents=True)
    context.write_text(
        '{"namespace": "elsewhere", "client_authentication_cookie": "session=stolen",'
        ' "client_authentication_header_name": "X-Secret",'
        ' "client_authentication_header_value": "stolen"}'
    )
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", "http://elsewhere.invalid")
    monkeypatch.setenv("KF_PIPELINES_UI_ENDPOINT", "http://elsewhere.invalid")

    result = submit()

    assert result.code == 0
    assert "elsewhere" not in result.out
    for request in server.requests:
        assert "stolen" not in str(request.headers)
        assert "elsewhere" not in request.path


def test_an_untrusted_certificate(submit, server, tmp_path):
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with KfpServer().running(context) as tls:
        untrusted = submit(host=tls.url)
        trusted = submit("--ca-cert", str(certificate), host=tls.url)

    assert untrusted.code == 2
    assert "its certificate is not trusted" in untrusted.err
    assert "pass --ca-cert" in untrusted.err
    assert trusted.code == 0
    assert len(tls.runs) == 1


def test_a_message_is_one_line_of_readable_length():
    assert api._message("<html>") is None
    assert api._message('{"error": "no"}') == "no"
    assert api._message("[1]") is None


def test_read_token_never_shows_what_it_read(tmp_path):
    path = tmp_path / "token"
    path.write_text("half-a-token and more")

    with pytest.raises(UsageError) as refusal:
        api._read_token(str(path))

    assert "half-a-token" not in str(refusal.value)
