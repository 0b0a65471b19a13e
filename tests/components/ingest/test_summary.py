"""The sum of the files' outcomes, and when a data set is refused."""

import pytest

from components.errors import DataRefused
from components.ingest.summary import (
    FileOutcome,
    RejectExample,
    refuse_unfit,
    representative,
    summarise,
)
from components.settings import DataSettings

SETTINGS = DataSettings(min_rows_per_class=2, max_reject_fraction=0.1)


def outcome(**values):
    empty = {"split": None, "sha256": "00", "rejected": {}, "duplicates": 0}
    nothing_wrong = {"reject_examples": [], "unknown_labels": {}, "refusal": None}
    empty |= {"lengths": {}, "sample": {}}
    splits = values["splits"]
    read = sum(sum(by_label.values()) for by_label in splits.values())
    read += sum(values.get("rejected", {}).values()) + values.get("duplicates", 0)
    return FileOutcome(**{"path": "a.csv", "read": read, **empty, **nothing_wrong, **values})


def reject(reason, record=2, file="b.csv"):
    return RejectExample(file=file, record=record, reason=reason, detail="at byte 3", raw="x")


def check(*outcomes):
    summary = summarise(outcomes, ("train", "eval"), SETTINGS.labels, [], 0, None)
    assert summary.read == (summary.accepted + sum(summary.rejected.values()) + summary.duplicates)
    refuse_unfit(summary, outcomes, SETTINGS)
    return summary


GOOD = {"train": {"negative": 9, "positive": 8}, "eval": {"negative": 1, "positive": 2}}


def test_summary_adds_up():
    outcomes = [
        outcome(
            path="train.csv",
            split="train",
            splits={"train": GOOD["train"]},
            duplicates=4,
            lengths={"train": {2: 17}},
            sample={"0a": {"negative": 1}},
            reject_examples=[],
        ),  # fmt: skip
        outcome(
            path="eval.csv",
            split="eval",
            splits={"eval": GOOD["eval"]},
            lengths={"eval": {1: 2, 3: 1}},
            rejected={"nul_byte": 1, "empty_text": 2},
            sample={"0a": {"positive": 2}, "0b": {"positive": 1}},
            reject_examples=[reject("empty_text", 4)],
        ),
    ]
    summary = summarise(outcomes, ("train", "eval"), SETTINGS.labels, ["README.md"], 7, 2)
    assert summary.model_dump() == {
        "read": 27,
        "accepted": 20,
        "rejected": {"empty_text": 2, "nul_byte": 1},
        "duplicates": 4,
        "splits": GOOD,
        "lengths": {
            "train": {"edges": [1, 2, 3, 4], "rows": [0, 17, 0]},
            "eval": {"edges": [1, 2, 3, 4], "rows": [2, 0, 1]},
        },
        "repeats": {"sentences": 2, "rows": 4, "contradictory": 1},
        "reject_examples": [
            {
                "file": "b.csv", "record": 4, "reason": "empty_text",
                "detail": "at byte 3", "raw": "x",
            }
        ],
        "files": [
            {"path": "train.csv", "split": "train", "read": 21, "sha256": "00"},
            {"path": "eval.csv", "split": "eval", "read": 6, "sha256": "00"},
        ],
        "ignored_files": ["README.md"],
        "span": 7,
        "version": 2,
    }  # fmt: skip


def test_examples_of_rejects_cover_every_reason():
    many = [reject("nul_byte", record) for record in range(1, 40)]
    rare = [reject("empty_text", 50), reject("not_utf8", 60), reject("not_utf8", 61)]
    chosen = [(one.reason, one.record) for one in representative([*many, *rare])]
    assert chosen == [
        *[("nul_byte", record) for record in range(1, 18)],
        ("empty_text", 50),
        ("not_utf8", 60),
        ("not_utf8", 61),
    ]


def test_labels_without_rows_are_listed():
    outcomes = [outcome(splits={"train": {"negative": 1}})]
    summary = summarise(outcomes, ("train", "eval"), ("negative", "positive"), [], 0, None)
    assert summary.splits == {
        "train": {"negative": 1, "positive": 0},
        "eval": {"negative": 0, "positive": 0},
    }


def test_good_data_pass():
    assert check(outcome(splits=GOOD)).accepted == 20


def test_rejects_up_to_the_fraction_pass():
    assert check(outcome(splits=GOOD, rejected={"nul_byte": 2})).read == 22


def test_too_many_rejects_are_refused():
    with pytest.raises(DataRefused) as refusal:
        check(
            outcome(splits=GOOD),
            outcome(
                path="b.csv",
                splits={"train": {}},
                rejected={"nul_byte": 1, "not_utf8": 2, "empty_text": 1, "broken_json": 3},
                reject_examples=[reject("nul_byte"), reject("not_utf8", 5)],
            ),
        )
    assert str(refusal.value) == (
        "a.csv and 1 more: 7 of 27 rows rejected, data.max_reject_fraction is 0.1: "
        "3 broken_json, 2 not_utf8, 1 nul_byte; first: b.csv:2 nul_byte, at byte 3"
    )


def test_unknown_labels_are_named_with_their_rows():
    with pytest.raises(DataRefused) as refusal:
        check(
            outcome(splits=GOOD, rejected={"unknown_label": 2}, unknown_labels={"'neutral'": 2}),
            outcome(
                path="b.csv",
                splits={"train": {}},
                rejected={"unknown_label": 7, "nul_byte": 1},
                unknown_labels={"'mixed'": 3, "'neutral'": 4},
                reject_examples=[reject("unknown_label")],
            ),
        )
    assert str(refusal.value) == (
        "a.csv and 1 more: 10 of 30 rows rejected, data.max_reject_fraction is 0.1: "
        "9 unknown_label, 1 nul_byte; first: b.csv:2 unknown_label, at byte 3; unknown labels: "
        "6 'neutral', 3 'mixed'; add them to data.labels, correct them, or raise "
        "data.max_reject_fraction to leave these rows out"
    )


def test_of_many_unknown_labels_the_most_frequent_are_named_in_short():
    labels = {f"'{n:02}{'x' * 300}'": n for n in range(1, 31)}
    with pytest.raises(DataRefused) as refusal:
        check(
            outcome(
                splits=GOOD,
                rejected={"unknown_label": 1000},
                unknown_labels=labels,
                reject_examples=[reject("unknown_label")],
            )
        )
    shown = ", ".join(f"{n} '{n:02}{'x' * 37}..." for n in (30, 29, 28, 27, 26))
    assert f"unknown labels: {shown} and others; add them" in str(refusal.value)


def test_one_class_only_is_refused():
    with pytest.raises(DataRefused) as refusal:
        check(outcome(splits={"train": {"positive": 9}, "eval": {"positive": 3}}))
    assert str(refusal.value) == (
        "a.csv: expected rows of at least 2 of the classes negative, positive, got only positive"
    )


def test_too_few_rows_of_a_class_are_refused():
    with pytest.raises(DataRefused) as refusal:
        check(outcome(splits={"train": {"negative": 1, "positive": 8}, "eval": GOOD["eval"]}))
    assert str(refusal.value) == (
        "a.csv: class 'negative' has 1 rows in train, data.min_rows_per_class is 2; "
        "give more rows of it, or lower the setting"
    )


def test_duplicates_are_named_where_they_may_be_the_cause():
    with pytest.raises(DataRefused) as refusal:
        check(outcome(splits={**GOOD, "train": {"negative": 1, "positive": 8}}, duplicates=30))
    assert str(refusal.value) == (
        "a.csv: class 'negative' has 1 rows in train, data.min_rows_per_class is 2; 30 rows were "
        "dropped, being in eval or test too; give more rows of it, or lower the setting"
    )


def test_no_eval_rows_are_refused():
    with pytest.raises(DataRefused, match="a.csv: no rows in eval; give more rows"):
        check(outcome(splits={"train": GOOD["train"]}))


def test_a_refused_file_refuses_the_data():
    with pytest.raises(DataRefused, match="^b.csv: broken$"):
        check(outcome(splits=GOOD), outcome(splits={}, refusal="b.csv: broken"))
