"""Writes the page and plots of `side_by_side.py` from its figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
HEAD = """# Side by side

Written by `python benchmarks/side_by_side.py --data FOLDER`, which measures everything below in one go; do not edit.
Figures differ from machine to machine and from minute to minute: read ratios within a table.
What each benchmark does in detail, and longer runs, stand in
[Benchmarks](benchmarks.md).
"""
BAR_TICK_MS = 1000 / 60


def page(figures: Figures) -> str:
    """The page in Markdown; parts without figures are left out."""
    written = {
        "wire": _wire,
        "step": _step,
        "pacing": _pacing,
        "start": _start,
        "offline": _offline,
        "subjects": _subjects,
        "quality": _quality,
    }
    return HEAD + "".join(
        "\n" + "\n".join([*write(figures[name]), "", _where(figures[name])]) + "\n"
        for name, write in written.items()
        if name in figures
    )


def _where(part: Figures) -> str:
    machine = part["machine"]
    load = "" if part["load"] is None else f", load before it {part['load']:.1f}"
    return (
        f"*{machine['processor']}, {machine['cores']} cores, GPU: {machine['gpu']}, {machine['system']}, Python "
        f"{machine['python']}{load}; "
        f"{machine['day']}.*"
    )


def _table(*rows: tuple[str, ...]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield "| " + " | ".join(row) + " |"
        if number == 0:
            yield "|" + "---|" * len(row)


def _wire(part: Figures) -> Iterator[str]:
    yield "## The wire, beside PyLiveLinkFace\n"
    yield (
        "Processor time per packet, µs, median of 15 rounds in turn. "
        "`Encoder` also checks and clamps every value; PyLiveLinkFace's side sets its 61 values.\n"
    )
    rows = [
        (
            row["what"],
            f"{row['ours']:.2f}",
            "" if row["peer"] is None else f"{row['peer']:.1f}",
            "" if row["peer"] is None else f"{row['peer'] / row['ours']:.1f}",
        )
        for row in part["rows"]
    ]
    yield from _table(("", "livelink-bridge", "PyLiveLinkFace", "times faster"), *rows)
    yield "\n![Time per packet](plots/wire.svg)"


def _step(part: Figures) -> Iterator[str]:
    yield "## One live step by engine\n"
    yield (
        "Milliseconds of one 60 Hz step, features included (bar: p99 2), "
        "and how late a thread that wants to run every millisecond is let beside it.\n"
    )
    rows = [(row["engine"], f"{row['p50']:.2f}", f"{row['p99']:.2f}", f"{row['late']:.2f}") for row in part["rows"]]
    yield from _table(("engine", "p50 ms", "p99 ms", "other thread late, p99 ms"), *rows)
    yield "\n![One live step](plots/step.svg)"


def _pacing(part: Figures) -> Iterator[str]:
    yield "## Sound to packet, and the beat of packets\n"
    yield (
        "The whole live path in real time with the shipped model: "
        "66.7 ms of the delay are look-ahead (bars: median 77 ms, sd 0.5, p99 error 2).\n"
    )
    rows = [
        (
            name,
            f"{row['delay']:.1f}",
            f"{row['delay_p99']:.1f}",
            f"{row['fps']:.2f}",
            f"{row['sd']:.2f}",
            f"{row['p99']:.2f}",
            f"{row['step']:.2f}, {row['step_p99']:.2f}",
        )
        for name, row in (("idle", part["idle"]), ("every core busy", part["busy"]))
    ]
    yield from _table(
        ("machine", "sound to packet ms", "p99 ms", "fps", "interval sd ms", "p99 error ms", "step p50, p99 ms"), *rows
    )
    yield "\n![Interval errors](plots/pacing.svg)"


def _start(part: Figures) -> Iterator[str]:
    yield "## Start and memory\n"
    rows = [
        ("`livelink-bridge --help`", f"{part['help']:.2f} s"),
        ("command to first packet (bar: 3 s)", f"{part['packet']:.2f} s"),
        ("memory of `play`, resident (bar: 600 MB)", f"{part['memory']:.0f} MB"),
    ]
    yield from _table(("", "median of five"), *rows)


def _offline(part: Figures) -> Iterator[str]:
    yield "## Offline\n"
    rows = [
        ("network alone, a minute (bar: 100)", f"{part['network']:.0f}"),
        ("`convert` of ten minutes, start and take included", f"{part['convert']:.0f}"),
    ]
    yield from _table(("", "× real time"), *rows)


def _subjects(part: Figures) -> Iterator[str]:
    yield "## What a subject costs\n"
    yield (
        "A tick of 1/60 s in which every subject has one pose: "
        "everything behind the microphone on a thread each (whole), and the network's step in one call.\n"
    )
    rows = [
        (
            row["way"],
            str(row["subjects"]),
            f"{row['p50']:.2f}",
            f"{row['p99']:.2f}",
            f"{row['cpu']:.2f}",
            "yes" if row["p99"] <= BAR_TICK_MS else "no",
        )
        for row in part["rows"]
    ]
    yield from _table(("", "subjects", "p50 ms", "p99 ms", "processor ms a subject", "holds 60 fps"), *rows)
    yield "\n![Growth with subjects](plots/subjects.svg)"


def _quality(part: Figures) -> Iterator[str]:
    yield "## The mouth, beside loudness alone and a constant face\n"
    rows = [
        (row["group"], row["what"], *(_figure(row.get(who)) for who in ("ours", "loudness", "constant")))
        for row in part["rows"]
    ]
    yield from _table(("recordings", "", "pmmtalk-live", "loudness alone", "constant face"), *rows)
    yield "\n![The mouth](plots/quality.svg)"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"


def draw(figures: Figures, folder: Path) -> None:
    """One SVG plot per part; the same figures give the same bytes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.hashsalt": "livelink-bridge", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    for name, plot in {
        "wire": _draw_wire,
        "step": _draw_step,
        "pacing": _draw_pacing,
        "subjects": _draw_subjects,
        "quality": _draw_quality,
    }.items():
        if name in figures:
            _save(plot, figures[name], folder / f"{name}.svg")


def _save(plot: Any, part: Figures, path: Path) -> None:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3))
    plot(axes, part)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _pairs(axes: Any, names: list[str], sides: dict[str, list[float]]) -> None:
    height = 0.8 / len(sides)
    for number, (label, values) in enumerate(sides.items()):
        axes.barh([at + number * height for at in range(len(names))], values, height, label=label)
    axes.set_yticks([at + 0.4 - height / 2 for at in range(len(names))], names)
    axes.invert_yaxis()
    axes.legend(frameon=False)


def _draw_wire(axes: Any, part: Figures) -> None:
    rows = [row for row in part["rows"] if row["peer"] is not None]
    _pairs(
        axes,
        [row["what"].split(":")[0] for row in rows],
        {"livelink-bridge": [r["ours"] for r in rows], "PyLiveLinkFace": [r["peer"] for r in rows]},
    )
    axes.set_xlabel("µs per packet")


def _draw_step(axes: Any, part: Figures) -> None:
    _pairs(
        axes,
        [row["engine"] for row in part["rows"]],
        {"p50": [r["p50"] for r in part["rows"]], "p99": [r["p99"] for r in part["rows"]]},
    )
    axes.set_xscale("log")
    axes.axvline(2, color="grey", linestyle=":")
    axes.set_xlabel("ms per 60 Hz step; dotted: the bar")


def _draw_pacing(axes: Any, part: Figures) -> None:
    for name in ("idle", "busy"):
        axes.plot(
            part[name]["errors"], range(0, 101, 2), label={"idle": "idle machine", "busy": "every core busy"}[name]
        )
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlabel("error of the interval between packets, ms")
    axes.set_ylabel("% of packets")
    axes.legend(frameon=False)


def _draw_subjects(axes: Any, part: Figures) -> None:
    for way in ("whole", "network"):
        rows = [row for row in part["rows"] if row["way"] == way]
        axes.plot([r["subjects"] for r in rows], [r["p99"] for r in rows], "o-", label=f"{way}, p99")
    axes.axhline(BAR_TICK_MS, color="grey", linestyle=":")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("subjects; dotted: 1/60 s")
    axes.set_ylabel("ms a tick")
    axes.legend(frameon=False)


def _draw_quality(axes: Any, part: Figures) -> None:
    rows = [row for row in part["rows"] if row["what"].endswith(" r")]
    _pairs(
        axes,
        [f"{r['group']}, {r['what']}" for r in rows],
        {"pmmtalk-live": [r["ours"] or 0 for r in rows], "loudness alone": [r["loudness"] or 0 for r in rows]},
    )
    axes.set_xlabel("correlation with the captured face")
