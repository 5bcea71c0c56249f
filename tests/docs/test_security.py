"""docs/security.md is true: what listens, at which ports and addresses, and what is never done."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from doc_pages import ROOT

from livelink_bridge.commands.checks import monitor
from livelink_bridge.commands.live import preview
from livelink_bridge.errors import UsageError
from livelink_bridge.network.access import Access
from livelink_bridge.network.peers import Peers
from livelink_bridge.remote_control import server as control
from livelink_bridge.reporting.prometheus import MetricsServer
from livelink_bridge.sinks import ifacialmocap
from livelink_bridge.speech_server import server as listen

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PACKAGES = ("livelink_bridge", "arkit_mapping", "models/speech_to_face")
OPENS = {
    "bind",
    "create_server",
    "start_http_server",
    "serve",
    "ThreadingHTTPServer",
    "HTTPServer",
    "start_server",
    "uvicorn.Server",
}
"""Calls that let others in, by their last name; `uvicorn.Server` whole, as every second module has a Server of its
own."""
CLIENTS = {
    "requests",
    "httpx",
    "aiohttp",
    "urllib3",
    "urllib.request",
    "http.client",
    "ftplib",
    "smtplib",
    "huggingface_hub",
}
FETCHES_WHEN_ASKED = {"models/speech_to_face/official/hub.py"}
"""`models download`, which somebody has to type."""
PICKLING = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
UNPICKLING = PICKLING - {"pickle"} | {"pickle.load", "pickle.loads", "pickle.Unpickler"}
READS_PICKLES = {"models/speech_to_face/official/pickles.py"}
"""The reader that makes nothing but arrays, dictionaries, texts and numbers."""


@functools.cache
def texts() -> dict[str, str]:
    """Every module of the packages, by its path in the repository."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def sources(*words: str) -> Iterator[tuple[str, ast.Module]]:
    """The modules in which one of the words stands somewhere."""
    for path, text in texts().items():
        if any(word in text for word in words):
            yield path, ast.parse(text)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with its dotted name, `?` for what has none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else "?", node


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def opens(tree: ast.AST) -> bool:
    return any(name.rpartition(".")[2] in OPENS or name in OPENS for name, _ in calls(tree))


def row(beginning: str) -> str:
    """The line of the page's table that begins so."""
    [found] = [line for line in PAGE.splitlines() if line.startswith(f"| {beginning}")]
    return found


def test_every_module_that_opens_a_port_stands_on_the_page() -> None:
    opening = [path for path, tree in sources(*OPENS) if opens(tree)]
    assert len(opening) > 6
    assert [path for path in opening if f"`{path}`" not in PAGE] == []


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:livelink_bridge|models|arkit_mapping|scripts|examples)/[\w./]*)`", PAGE)
    assert len(named) > 8
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("beginning", "port"),
    [
        ("`monitor`", inspect.signature(monitor.monitor).parameters["port"].default),
        ("`listen`", listen.PORT),
        ("`preview`", preview.PORT),
        ("`--to ifacialmocap", ifacialmocap.PORT),
    ],
)
def test_the_ports_of_the_page_are_the_programs(beginning: str, port: int) -> None:
    assert str(port) in row(beginning).split("|")[2]


def test_every_dependency_is_asked_whether_it_sends_anything_and_the_answer_stands_on_the_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {re.split(r"[\[><=]", one)[0] for one in wanted} - {project["name"]}
    answered = {
        name
        for line in PAGE.splitlines()
        if line.startswith("| ")
        for name in re.findall(r"`([\w-]+)`", line.split("|")[1])
    }
    assert len(names) > 25 and names <= answered


def test_what_the_page_says_is_bound_to_this_machine_is() -> None:
    for beginning in ("`listen`", "`preview`", "`--control PORT`", "`--metrics-port N`"):
        assert "127.0.0.1" in row(beginning).split("|")[3]
    assert Access().host == "127.0.0.1"
    assert inspect.signature(preview.preview).parameters["host"].default == "127.0.0.1"
    assert Peers(()).host == "127.0.0.1"
    assert inspect.signature(MetricsServer).parameters["host"].default == "127.0.0.1"
    assert control.Peers is Peers


def test_another_address_wants_a_token_of_sixteen_characters() -> None:
    with pytest.raises(UsageError, match="needs --token"):
        Access("0.0.0.0")
    with pytest.raises(UsageError, match="at least 16"):
        Access("0.0.0.0", "x" * 15)
    assert Access("0.0.0.0", "x" * 16).token
    assert preview._token("127.0.0.1", None) is None and len(str(preview._token("0.0.0.0", None))) >= 16


def test_nothing_is_fetched_but_by_the_command_that_says_so() -> None:
    fetching = {path for path, tree in sources("urllib", "http", *CLIENTS) if imports(tree) & CLIENTS}
    assert fetching <= FETCHES_WHEN_ASKED


def loads_unsafely(tree: ast.AST) -> list[str]:
    """Calls that may run what they read: pickles, arrays with pickles, YAML with types, torch files whole."""
    called = [
        ast.unparse(call)
        for name, call in calls(tree)
        if _unsafe(name, {word.arg: word.value for word in call.keywords})
    ]
    pickling = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _pickles(node)]
    return called + pickling + sorted(imports(tree) & UNPICKLING)


def _pickles(node: ast.Attribute) -> bool:
    """Whatever of pickle's is more than the name of an error."""
    return isinstance(node.value, ast.Name) and node.value.id == "pickle" and not node.attr.endswith("Error")


def _unsafe(name: str, words: dict[str | None, Any]) -> bool:
    constant = {key: getattr(value, "value", None) for key, value in words.items()}
    if name in ("yaml.unsafe_load", "yaml.full_load", "eval", "exec"):
        return True
    if name == "torch.load":
        return constant.get("weights_only") is not True
    return name in ("np.load", "numpy.load") and constant.get("allow_pickle", False) is not False


def test_nothing_that_is_read_can_run_code() -> None:
    unsafe = {
        path: found for path, tree in sources("load", "eval", "exec", *PICKLING) if (found := loads_unsafely(tree))
    }
    assert {path for path in unsafe if path not in READS_PICKLES} == set()


def test_yaml_is_read_by_safe_loaders() -> None:
    loading = [
        (path, ast.unparse(call))
        for path, tree in sources("yaml.load")
        for name, call in calls(tree)
        if name == "yaml.load"
    ]
    assert [(path, call) for path, call in loading if "_LOADER" not in call] == []
    for path, _ in loading:
        assert re.search(
            r"^_LOADER = getattr\(yaml, \"CSafeLoader\", yaml\.SafeLoader\)$",
            (ROOT / path).read_text(encoding="utf-8"),
            re.M,
        )


def test_the_scan_sees_what_it_is_there_for() -> None:
    assert (
        opens(ast.parse("sock.bind(('', 1))"))
        and opens(ast.parse("uvicorn.Server(config)"))
        and not opens(ast.parse("Server()"))
    )
    assert (
        imports(ast.parse("from urllib import request")) & CLIENTS and imports(ast.parse("import requests")) & CLIENTS
    )
    bad = (
        "torch.load(p)\ntorch.load(p, weights_only=False)\nnp.load(p, allow_pickle=True)\npickle.Unpickler(b)\neval(x)"
    )
    assert len(loads_unsafely(ast.parse(bad))) == 5
    assert loads_unsafely(ast.parse("from pickle import loads")) and loads_unsafely(ast.parse("import dill"))
    assert (
        loads_unsafely(
            ast.parse(
                "pickle.UnpicklingError\ntorch.load(p, weights_only=True)\nnp.load(p)\nnp.load(p, allow_pickle=False)"
            )
        )
        == []
    )
