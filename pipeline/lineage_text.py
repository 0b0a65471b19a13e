"""A version's lineage, for a person."""

import json

from pipeline.changes import leaves
from pipeline.config import Config
from pipeline.console import printable
from pipeline.lineage import Data, Lineage, MadeStep, Users, Vectors

NOT_NOTED = "not noted: made by an earlier release of this program"
MOST_USERS = 8  # named; the others are counted


def in_words(lineage: Lineage) -> str:
    """Sections of lines, every value on its own."""
    model = [
        f"pushed     {lineage.pushed} to {lineage.destination}",
        f"run        {lineage.run}",
        f"model      {lineage.model}",
        f"compared   {_compared(lineage.compared_with)}",
    ]
    sections = {
        f"version {lineage.version}": model,
        "data": _data(lineage.data),
        "vectors": _vectors(lineage.vectors) if lineage.vectors else [],
        "configuration, where it is not this program's default": _configuration(lineage.config),
        "packages": _packages(lineage.packages),
        "steps": [_step(step, lineage.run) for step in lineage.steps],
        "also used by": _users(lineage),
    }
    return "\n".join(
        printable(line)
        for title, lines in sections.items()
        if lines
        for line in (title, *(f"  {line}" for line in lines))
    )


def _compared(version: int | None) -> str:
    return f"with version {version}" if version else "with no blessed version before"


def _data(data: Data) -> list[str]:
    span = f", span {data.span}" if data.span else ""
    version = f", version {data.version}" if data.version is not None else ""
    lines = [f"path       {data.path}{span}{version}"]
    if data.rows:
        counts = {key: data.rows[key] for key in ("read", "accepted", "duplicates")}
        counts["rejected"] = sum(data.rows["rejected"].values())
        lines.append("rows       " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    for file in data.files:
        rows = "" if file.rows is None else f", {file.rows:,} rows"
        lines.append(f"{file.split or 'by hash':10} {file.path}{rows}")
        lines.append(f"           sha256 {file.sha256}")
    return lines


def _vectors(vectors: Vectors) -> list[str]:
    given = {key: value for key, value in vectors.settings.items() if value is not None}
    lines = [f"{key:10} {value}" for key, value in given.items()]
    lines += [f"sha256     {digest}" for digest in vectors.sha256]
    if vectors.coverage:
        counts = vectors.coverage
        lines.append(
            f"coverage   {counts['types_known']:,} of {counts['types']:,} words, "
            f"{counts['tokens_known']:,} of {counts['tokens']:,} tokens"
        )
    return lines


def _configuration(config: dict | None) -> list[str]:
    if config is None:
        return [NOT_NOTED]
    default, own = leaves(Config().model_dump(mode="json")), leaves(config)
    changed = {key: value for key, value in own.items() if value != default.get(key)}
    return [
        f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in changed.items()
    ] or ["it is everywhere"]


def _packages(packages: dict[str, str] | None) -> list[str]:
    if packages is None:
        return [NOT_NOTED]
    return [f"{name} {version}" for name, version in packages.items()]


def _step(step: MadeStep, run: str | None) -> str:
    code = f", code {step.code}" if step.code else ""
    earlier = f", taken from run {step.run}" if step.run != run else ""
    return (
        f"{step.node:18} execution {step.execution}, {step.started}, {step.seconds:.1f} s"
        f"{code}{earlier}"
    )


def _users(lineage: Lineage) -> list[str]:
    kinds = {
        "data": lineage.same_data,
        "vectors": lineage.same_vectors,
        "model": lineage.same_model,
    }
    return [f"{what:10} {_named(users)}" for what, users in kinds.items() if users]


def _named(users: Users) -> str:
    more = f" and {len(users.runs) - MOST_USERS} more" if len(users.runs) > MOST_USERS else ""
    named = {
        "version": ", ".join(str(version) for version in users.versions),
        "run": ", ".join(users.runs[-MOST_USERS:]) + more,
    }
    return "; ".join(f"{what} {names}" for what, names in named.items() if names) or "nothing else"
