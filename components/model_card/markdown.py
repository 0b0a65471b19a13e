"""The card for a person: Markdown, in which everything that comes from outside is plain text."""

import json
import re
from typing import Any

import jinja2

NOT_STATED = "not stated"
FILES_SHOWN = 20

_TEMPLATE = """\
# {{ details.name }}, version {{ details.version.name }}

{{ details.get("overview") or "What it is: not stated." }}

| | |
| --- | --- |
| Task | text classification: {{ details.classes | join(", ") }} |
| Language | {{ details.language | stated }} |
| Owner | {{ owner.get("name") | stated }} |
| Contact | {{ owner.get("contact") | stated }} |
| Licence of the model | {{ details.licenses | license }} |
| Trained | {{ details.trained }} |
| Pipeline, run that pushed it | {{ details.pipeline.name }}, {{ details.pipeline.run }} |
| Made with | {{ packages }} |

## Intended use

{{ considerations.use_cases | descriptions }}

Out of scope: {{ considerations.out_of_scope_use_cases | descriptions }}

## Limits

{% for limit in considerations.limitations %}
- {{ limit.description }}
{% endfor %}

## Data

| | |
| --- | --- |
| Name | {{ data_set.name | stated }} |
| Source | {{ data_set.source | stated }} |
| Licence of the data | {{ data_set.licenses | license }} |
| Rows | {{ data_set.read | count }} read, {{ data_set.accepted | count }} accepted, \
{{ data_set.rejected.values() | sum | count }} rejected, \
{{ data_set.duplicates | count }} dropped as duplicates |
{% for reason, rows in data_set.rejected.items() %}
| Rejected: {{ reason }} | {{ rows | count }} |
{% endfor %}

| split | rows |{% for label in details.classes %} {{ label }} |{% endfor %}

| --- | ---: |{% for _ in details.classes %} ---: |{% endfor %}

{% for split in parameters.data %}
| {{ split.name }} | {{ split.rows.values() | sum | count }} |\
{% for label in details.classes %} {{ split.rows[label] | count }} |{% endfor %}

{% endfor %}

| file | rows | SHA-256 |
| --- | ---: | --- |
{% for file in data_set.files[:files_shown] %}
| {{ file.path }} | {{ file.read | count }} | {{ file.sha256 }} |
{% endfor %}
{% if data_set.files | length > files_shown %}

{{ (data_set.files | length - files_shown) | count }} more files in `model_card.json`.
{% endif %}

## Model

{{ parameters.model_architecture }}. In: {{ parameters.input_format }}. \
Out: {{ parameters.output_format }}.

{% if vectors %}
Word vectors know {{ vectors.types_known | count }} of the {{ vectors.types | count }} words of \
train ({{ (vectors.tokens_known / vectors.tokens) | percent }} as often as they occur); \
{{ vectors.extra_words | count }} more of their words are in the vocabulary.
{% else %}
No pre-trained word vectors.
{% endif %}

{{ parameters.training.epochs | count }} epochs, {{ parameters.training.steps | count }} batches; \
the weights are those after epoch {{ parameters.training.kept_epoch }}.

| setting | value |
| --- | --- |
{% for section in ("text", "model", "train") %}
{% for name, value in parameters[section].items() %}
| {{ section }}.{{ name }} | {{ value | setting }} |
{% endfor %}
{% endfor %}

## Metrics

On the {{ analysis.example_count | count }} rows of eval. The linear baseline is a linear model on \
n-grams, trained and measured on the same rows.

| metric | this model | 95 % interval | latest blessed model before | linear baseline |
| --- | ---: | ---: | ---: | ---: |
{% for metric in overall %}
| {{ metric.type }} | {{ metric.value | number }} | {{ metric | interval }} | \
{{ (analysis.latest_blessed or {}).get(metric.type) | number }} | \
{{ analysis.linear_baseline.get(metric.type) | number }} |
{% endfor %}

| slice | rows | accuracy | 95 % interval | macro F1 |
| --- | ---: | ---: | ---: | ---: |
{% for name, metrics in slices.items() %}
| {{ name }} | {{ analysis.slice_example_counts[name] | count }} | \
{{ metrics.accuracy.value | number }} | {{ metrics.accuracy | interval }} | \
{{ metrics.get("macro_f1", {}).get("value") | number }} |
{% endfor %}

Rows by label (down) and answer (across):

| |{% for label in details.classes %} {{ label }} |{% endfor %}

| --- |{% for _ in details.classes %} ---: |{% endfor %}

{% for label in details.classes %}
| {{ label }} |{% for rows in analysis.confusion_matrix[loop.index0] %} {{ rows | count }} |\
{% endfor %}

{% endfor %}

Probabilities are calibrated with temperature {{ analysis.calibration.temperature | number }}: \
expected calibration error {{ analysis.calibration.error_before | number }} without it, \
{{ analysis.calibration.error_after | number }} with it, on \
{{ analysis.calibration.rows | count }} rows of eval.

## Serving

Measured before the push, on the machine that ran the serving check, one sentence after the other \
over REST: p50 {{ analysis.serving.p50_ms | milliseconds }}, p99 \
{{ analysis.serving.p99_ms | milliseconds }}; ready after \
{{ analysis.serving.start_seconds | number }} s.

Ask it through TensorFlow Serving's protocol, where HOST serves it:

    sentiflow predict --url http://HOST:8501 --set serving.model_name={{ name }} "A sentence."
    curl -d '{"instances": ["A sentence."]}' http://HOST:8501/v1/models/{{ name }}:predict

The same as this page, for programs: `model_card.json`.
"""


class _Markdown(str):
    """Text that is Markdown already."""


def escaped(text: str) -> str:
    """A text as Markdown that shows exactly it, on one line, wherever it stands.

    Source: CommonMark 0.31, 2.4: a backslash before any ASCII punctuation makes it literal. Blanks
    and line breaks become single spaces.
    """
    line = " ".join(text.split())
    line = re.sub(r"[\\`*\[\]<>|~&$@]|:(?=//)", r"\\\g<0>", line)
    # An underscore within a word is one already, as in max_length.
    line = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", line)
    # What only means something where a line begins: headings, lists, rules.
    return re.sub(r"^(?:[#+=-]|(\d{1,9})(?=[.)](?:\s|$)))", _at_line_start, line)


def _at_line_start(match: re.Match[str]) -> str:
    return f"{match[1]}\\" if match[1] else f"\\{match[0]}"


def render(card: dict[str, Any]) -> str:
    """The card as Markdown.

    Args:
      card: of `components.model_card.card.model_card`.
    """
    details, parameters = card["model_details"], card["model_parameters"]
    analysis = card["quantitative_analysis"]
    slices: dict[str, dict[str, Any]] = {}
    for metric in analysis["performance_metrics"]:
        if "slice" in metric:
            slices.setdefault(metric["slice"], {})[metric["type"]] = metric
    return _ENVIRONMENT.from_string(_TEMPLATE).render(
        details=details,
        name=_code(details["served_as"]),
        packages=", ".join(f"{name} {version}" for name, version in details["packages"].items()),
        owner=(details["owners"] or [{}])[0],
        parameters=parameters,
        data_set=parameters["data_set"],
        vectors=parameters["word_vectors"],
        files_shown=FILES_SHOWN,
        considerations=card["considerations"],
        analysis=analysis,
        overall=[m for m in analysis["performance_metrics"] if "slice" not in m],
        slices=slices,
    )


def _finalize(value: Any) -> str:
    """Escapes every value that the template puts out."""
    return value if isinstance(value, _Markdown) else escaped(str(value))


def _stated(text: str | None) -> str:
    return text or NOT_STATED


def _license(licenses: list[dict[str, str]]) -> str:
    return ", ".join(text for license in licenses for text in license.values()) or NOT_STATED


def _descriptions(items: list[dict[str, str]]) -> str:
    return " ".join(item["description"] for item in items) or NOT_STATED


def _number(value: float | str | None) -> str:
    return "" if value is None else f"{float(value):.3f}"


def _interval(metric: dict[str, Any]) -> str:
    bounds = metric.get("confidence_interval")
    return f"{_number(bounds['lower_bound'])} to {_number(bounds['upper_bound'])}" if bounds else ""


def _code(name: str) -> _Markdown:
    """A name within a block of code, where a backslash would be shown."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):  # as serving.model_name is checked
        raise ValueError(f"not a model's name: {name!r}")
    return _Markdown(name)


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "stated": _stated,
        "license": _license,
        "descriptions": _descriptions,
        "number": _number,
        "interval": _interval,
        "count": lambda value: f"{value:,}",
        "percent": lambda value: f"{value:.1%}",
        "milliseconds": lambda value: f"{value:.1f} ms",
        "setting": json.dumps,
    }
    return environment


_ENVIRONMENT = _environment()
