"""The demo over HTTP: the two named endpoints, what is refused, what stays closed, and the same tools over MCP."""

import asyncio
import base64
import importlib.util
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from fake_predictor import FakePredictor

gradio_client = pytest.importorskip("gradio_client")
gradio = pytest.importorskip("gradio")
httpx = pytest.importorskip("httpx")

from refatomnet.demo import build_demo, endpoints, launch_options, read_samples  # noqa: E402
from refatomnet.demo.endpoints import prepare_tools  # noqa: E402
from refatomnet.demo.limits import Limits  # noqa: E402
from refatomnet.types import Result  # noqa: E402

ROOT = Path(__file__).parents[1]
COAT = "the person in the beige coat"
with_mcp = pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="the package mcp is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, clip):
    root = tmp_path_factory.mktemp("samples")
    (root / "walk.mp4").write_bytes(clip.read_bytes())
    (root / "samples.jsonl").write_text(json.dumps({"clip": "walk.mp4", "sentence": COAT, "box_xyxy": [0, 0, 1, 1]}))
    return root


@contextmanager
def opened(folder, predictor=None, *, limits=None, **launch):
    """The address of a demo launched as app.py does."""
    samples = read_samples(folder)
    demo = build_demo(lambda: predictor or FakePredictor(), samples, limits=limits)
    options = launch_options(samples, limits=limits)
    _, address, _ = demo.launch(**options, **launch, prevent_thread_lock=True, quiet=True)
    prepare_tools(demo)
    yield address
    demo.close()


@pytest.fixture(scope="module")
def address(folder):
    with opened(folder) as url:
        yield url


def given(path):
    return gradio_client.handle_file(str(path))


def calling(url, **more):
    return gradio_client.Client(url, verbose=False, **more)


# ---- what is offered ----------------------------------------------------------------------------------------------
def test_two_endpoints_are_offered_and_say_what_they_do(address):
    info = httpx.get(f"{address}gradio_api/info").json()
    assert set(info["named_endpoints"]) == {"/predict", "/annotate"} and not info["unnamed_endpoints"]
    for name, says in (("/predict", "tell where they are and what they do"), ("/annotate", "into a video")):
        endpoint = info["named_endpoints"][name]
        assert says in endpoint["description"]
        assert [p["parameter_name"] for p in endpoint["parameters"]] == ["video", "sentences"]


def test_the_example_of_the_readme_runs(address, clip, tmp_path, monkeypatch):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", readme, re.S) if "gradio_client" in code]
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    told = {}
    exec(example.replace("http://127.0.0.1:7860/", address), told)
    assert Result.from_dict(told["result"]).queries[0].sentence == "the man in the grey shirt"
    assert Path(told["video"]).read_bytes()[4:8] == b"ftyp"


def test_the_pages_own_events_have_no_names(folder):
    demo = build_demo(FakePredictor(), read_samples(folder), folder)
    assert {event.api_name for event in demo.fns.values()} == {None, "predict", "annotate"}
    with opened(folder) as url:
        for way in ("call", "run"):
            assert httpx.post(f"{url}gradio_api/{way}/answer", json={"data": []}).status_code >= 400


# ---- what is refused ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sentences", "says"),
    [
        ("", "No sentence was given; say who to look for, for example ‘the woman in the red coat’."),
        ("crash", "Something went wrong on our side; it has been noted, and you can try again or use another clip."),
    ],
)
@pytest.mark.parametrize("name", ["/predict", "/annotate"])
def test_an_error_is_one_sentence(address, clip, name, sentences, says):
    with pytest.raises(gradio_client.exceptions.AppError) as error:
        calling(address).predict(given(clip), sentences, api_name=name)
    assert says in str(error.value)
    assert "Traceback" not in str(error.value) and "secret" not in str(error.value)


def test_an_upload_beyond_the_limit_is_refused_by_the_server(folder, clip):
    assert clip.stat().st_size < 2**20
    with opened(folder, limits=Limits(max_file_mb=1)) as url:
        for size, status in ((2**20 - 1, 200), (2**20 + 1, 413)):
            answer = httpx.post(f"{url}gradio_api/upload", files={"files": ("a.mp4", b"\0" * size)})
            assert answer.status_code == status
        assert answer.text == "File size exceeded maximum allowed size of 1048576 bytes."
        with pytest.raises(ValueError, match="exceeds the maximum file size of 1048576 bytes"):
            big = folder / "big.mp4"
            big.write_bytes(b"\0" * (2**20 + 1))
            calling(url).predict(given(big), COAT, api_name="/predict")
        assert calling(url).predict(given(clip), COAT, api_name="/predict")["queries"][0]["found"]


def test_a_full_queue_says_so_in_one_sentence(folder, clip):
    with opened(folder, FakePredictor(0.15), limits=Limits(queue=1)) as url:
        clients = [calling(url) for _ in range(4)]
        jobs = []
        for client in clients:
            jobs.append(client.submit(given(clip), COAT, api_name="/predict"))
            time.sleep(0.3)
        said = [str(job.exception()) for job in jobs if job.exception() is not None]
        assert said and all("1 requests wait already; try again in a minute." in text for text in said)
        assert any(job.exception() is None for job in jobs), "those before are answered"
        assert clients[0].predict(given(clip), COAT, api_name="/predict")["queries"], "and then there is room again"


# ---- what is closed -----------------------------------------------------------------------------------------------
def test_files_elsewhere_are_not_served(address, folder):
    for path in (folder / "samples.jsonl", ROOT / "app.py", ROOT / "refatomnet" / "data", "/etc/passwd"):
        assert httpx.get(f"{address}gradio_api/file={path}").status_code == 403, path
    assert httpx.get(f"{address}gradio_api/file={folder}/../../etc/passwd").status_code in (403, 404)
    assert httpx.get(f"{address}gradio_api/file={folder / 'walk.mp4'}").status_code == 200
    with pytest.raises(gradio_client.exceptions.AppError):
        calling(address).predict(
            {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, COAT, api_name="/predict"
        )


def test_nobody_may_watch_and_other_sites_may_not_ask(address):
    for path in ("monitoring", "monitoring/summary"):
        assert httpx.get(f"{address}{path}").status_code in (403, 404)
    for origin in ("https://example.org", "null"):
        answer = httpx.get(f"{address}config", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") not in ("*", origin)


def test_without_a_login_nothing_can_be_reached(folder, clip):
    with opened(folder, auth=[("eve", "apple")]) as url:
        sample = f"gradio_api/file={folder / 'walk.mp4'}"
        for path in ("config", "gradio_api/info", "gradio_api/openapi.json", "monitoring", sample):
            assert httpx.get(f"{url}{path}").status_code == 401, path
        for path in ("upload", "queue/join", "call/predict", "run/predict", "component_server", "process_recording"):
            assert httpx.post(f"{url}gradio_api/{path}", json={"data": []}).status_code == 401, path
        assert str(folder) not in httpx.get(url).text and COAT not in httpx.get(url).text
        assert httpx.post(f"{url}login", data={"username": "eve", "password": "pear"}).status_code == 400
        with pytest.raises(ValueError, match="Could not login"):
            calling(url, auth=("eve", "pear"))
        client = calling(url, auth=("eve", "apple"))
        assert client.predict(given(clip), COAT, api_name="/predict")["queries"][0]["found"]


# ---- MCP ----------------------------------------------------------------------------------------------------------
async def _tools(url, *calls):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with (
        streamablehttp_client(f"{url}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        return tools, [await session.call_tool(name, arguments) for name, arguments in calls]


@with_mcp
def test_mcp_clients_find_the_same_two_tools_and_call_them(folder, clip, monkeypatch):
    monkeypatch.setattr(endpoints, "CLIENT_IDLE_S", 5)
    data = "data:video/mp4;base64," + base64.b64encode(clip.read_bytes()).decode()
    calls = [
        ("predict", {"video": data, "sentences": f"{COAT}\nthe dragon"}),
        ("annotate", {"video": data, "sentences": COAT}),
        ("predict", {"video": data, "sentences": ""}),
        ("predict", {"video": data, "sentences": "crash"}),
    ]
    with opened(folder, mcp_server=True) as url:
        with ThreadPoolExecutor(1) as aside:  # the browser of other tests keeps an event loop in this thread
            tools, (told, drawn, empty, broken) = aside.submit(asyncio.run, _tools(url, *calls)).result()
        assert {tool.name for tool in tools} == {"predict", "annotate"}
        for tool in tools:
            assert tool.description.startswith(("Find the person", "Draw the person"))
            assert set(tool.inputSchema["properties"]) == {"video", "sentences"}
            assert "one sentence a line" in tool.inputSchema["properties"]["sentences"]["description"]
        assert not told.isError
        result = Result.from_dict(json.loads(told.content[0].text))
        assert [query.found for query in result.queries] == [True, False]
        assert httpx.get(drawn.content[0].text).content[4:8] == b"ftyp"
        given, until = Path(gradio.mcp.DEFAULT_TEMP_DIR), time.monotonic() + 30
        while list(given.iterdir()) and time.monotonic() < until:
            time.sleep(0.2)
        assert list(given.iterdir()) == [], "what was given as data: goes again"
    assert empty.isError and "No sentence was given" in empty.content[0].text
    assert broken.isError and "Something went wrong on our side" in broken.content[0].text
    for failed in (empty, broken):
        assert "Traceback" not in failed.content[0].text and "secret" not in failed.content[0].text
