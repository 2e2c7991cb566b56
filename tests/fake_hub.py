"""A small Hugging Face Hub on this machine, as far as its client asks: repositories, files, commits; no Xet, no LFS."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class FakeHub:
    """What lies on it, by kind and id of a repository (``models/owner/name``) and by path, and what it was asked.

    asked: method and path of every request. pause_s: what it waits after every 64 KiB of a file. refuses: status that
    every request is answered with. commits: the first lines of messages. private: repositories made so.
    """

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.commits: list[str] = []
        self.private: list[str] = []
        self.tokens: set[str | None] = set()
        self.pause_s = 0.0
        self.refuses = 0
        self.url = ""

    def commit_of(self, repo: str) -> str:
        said = json.dumps({name: hashlib.sha1(data).hexdigest() for name, data in sorted(self.repos[repo].items())})
        return hashlib.sha1(said.encode()).hexdigest()


@contextmanager
def hub_on(monkeypatch: Any, cache: Any) -> Iterator[FakeHub]:
    """A running hub; the client asks it and keeps files in ``cache``, here and in processes begun here."""
    from huggingface_hub import constants

    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    here = {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HUB_CACHE": str(cache), "HF_TOKEN_PATH": f"{cache}/none"}
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            path = self._path()
            parts = path.strip("/").split("/")
            if parts[0] == "api" and len(parts) > 3:
                repo, rest = "/".join(parts[1:4]), parts[4:]
                if repo not in hub.repos:
                    self._say(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
                elif rest[:1] == ["tree"]:
                    self._say(200, [{"type": "file", "path": p, **self._blob(d)} for p, d in hub.repos[repo].items()])
                else:
                    files = [{"rfilename": p, **self._blob(d)} for p, d in hub.repos[repo].items()]
                    self._say(200, {"id": "/".join(parts[2:4]), "sha": hub.commit_of(repo), "siblings": files})
            else:
                self._file(path)

        do_HEAD = do_GET

        def do_POST(self) -> None:
            path, body = self._path(), self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if path == "/api/repos/create":
                given = json.loads(body)
                owner, name = given.get("organization") or "someone", given["name"]
                repo = f"{given.get('type', 'model')}s/{owner}/{name}"
                status = 409 if repo in hub.repos else 200
                hub.repos.setdefault(repo, {})
                hub.private += [repo] if given.get("private") or given.get("visibility") == "private" else []
                self._say(status, {"url": f"{hub.url}/{'' if 'models' in repo else 'datasets/'}{owner}/{name}"})
            elif path == "/api/validate-yaml":
                self._say(200, {"errors": [], "warnings": []})
            elif "/preupload/" in path:
                files = json.loads(body)["files"]
                plain = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
                self._say(200, {"files": [{"path": file["path"], **plain} for file in files]})
            elif "/commit/" in path:
                repo = path.removeprefix("/api/").partition("/commit/")[0]
                for line in map(json.loads, body.splitlines()):
                    value = line["value"]
                    if line["key"] == "header":
                        hub.commits.append(value["summary"])
                    elif line["key"] == "file":
                        hub.repos[repo][value["path"]] = base64.b64decode(value["content"])
                commit = hub.commit_of(repo)
                self._say(200, {"success": True, "commitOid": commit, "commitUrl": f"{hub.url}/{repo}/commit/{commit}"})
            else:
                self._say(404, {"error": f"nothing at {path}"})

        def _path(self) -> str:
            hub.asked.append(f"{self.command} {self.path}")
            if self.path != "/api/agent-harnesses":  # what the client asks once a process, about itself
                hub.tokens.add(self.headers.get("Authorization"))
            return unquote(urlsplit(self.path).path)

        def _blob(self, data: bytes) -> dict[str, Any]:
            oid = hashlib.sha1(data).hexdigest()
            return {"size": len(data), "oid": oid, "blobId": oid}

        def _file(self, path: str) -> None:
            place, _, rest = path.strip("/").partition("/resolve/")
            repo = place if place.startswith("datasets/") else f"models/{place}"
            data = hub.repos.get(repo, {}).get(rest.partition("/")[2])
            if data is None:
                code = "EntryNotFound" if repo in hub.repos else "RepoNotFound"
                self._say(404, {"error": "not found"}, {"X-Error-Code": code})
                return
            about = {"ETag": f'"{self._blob(data)["oid"]}"', "X-Repo-Commit": hub.commit_of(repo)}
            self._say(200, data, about)

        def _say(self, status: int, what: Any, headers: dict[str, str] | None = None) -> None:
            if hub.refuses:
                status, what, headers = hub.refuses, {"error": "closed"}, {}
            body = what if isinstance(what, bytes) else json.dumps(what).encode()
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            for begin in range(0, len(body), 65536):
                try:
                    self.wfile.write(body[begin : begin + 65536])
                except OSError:  # the client has gone
                    return
                time.sleep(hub.pause_s if isinstance(what, bytes) else 0)

    return Handler
