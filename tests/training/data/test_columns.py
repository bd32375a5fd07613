"""Which column plays which part."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import InvalidInput
from core.training.data.columns import resolve_columns
from core.training.data_config import Columns


def frame(**cells: list[object]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})


def test_columns_are_found_by_their_names_in_any_case() -> None:
    found = resolve_columns(frame(Id=["1"], TEXT=["a"], Label=["b"]), "classification", Columns())
    assert found == ("labelled", Columns(text="TEXT", label="Label"))


def test_what_is_asked_for_goes_first() -> None:
    table = frame(text=["a"], body=["b"], label=["c"], channel=["d"])
    _, columns = resolve_columns(table, "classification", Columns(text="body", group="channel"))
    assert (columns.text, columns.label, columns.group) == ("body", "label", "channel")


def test_of_two_columns_with_odd_names_the_other_one_is_the_label() -> None:
    table = frame(was=["a"], wieso=["this one has a long text in every row of it"])
    assert resolve_columns(table, "classification", Columns())[1] == Columns(text="wieso", label="was")


@pytest.mark.parametrize(
    ("names", "kind", "found"),
    [
        (["messages", "text"], "chat", {"messages": "messages"}),
        (["instruction", "output"], "chat", {"prompt": "instruction", "completion": "output"}),
        (["question", "answer", "text"], "chat", {"prompt": "question", "completion": "answer"}),
        (["text", "id"], "text", {"text": "text"}),
    ],
)
def test_a_language_model_learns_from_chats_where_there_are_some(
    names: list[str], kind: str, found: dict[str, str]
) -> None:
    assert resolve_columns(frame(**{name: ["x"] for name in names}), "causal", Columns()) == (kind, Columns(**found))


def test_a_text_that_is_asked_for_is_taken_in_place_of_chats() -> None:
    table = frame(messages=["[]"], text=["a"])
    assert resolve_columns(table, "causal", Columns(text="text"))[0] == "text"


def test_every_column_of_numbers_is_a_feature_but_for_the_target_and_the_group() -> None:
    table = frame(size=["1", "2"], rooms=["3", ""], town=["a", "b"], price=["1,200", "1,500.5"], year=[1, 2])
    kind, columns = resolve_columns(table, "regression", Columns(group="year"))
    assert (kind, columns.target, columns.features) == ("numbers", "price", ("size", "rooms"))


def test_without_a_known_name_the_last_column_of_numbers_is_the_target() -> None:
    assert resolve_columns(frame(a=["1"], b=["2"], c=["x"]), "regression", Columns())[1].target == "b"


@pytest.mark.parametrize(
    ("recipe", "table", "asked", "says"),
    [
        ("classification", frame(a=["1"], b=["2"], c=["3"]), Columns(), "text and label"),
        (
            "classification",
            frame(text=["a"], b=["2"], c=["3"]),
            Columns(),
            "recognised as label. Columns of the file: text, b, c.",
        ),
        ("classification", frame(text=["a"], label=["b"]), Columns(text="boyd"), "text is to be 'boyd'"),
        ("classification", frame(text=["a"]), Columns(text="text", label="text"), "both the text and the label"),
        ("causal", frame(a=[1], b=[2]), Columns(), "messages, or prompt and completion"),
        ("causal", frame(prompt=["a"], b=["c"]), Columns(prompt="prompt"), "recognised as completion"),
        ("regression", frame(a=["x"], b=["y"]), Columns(), "recognised as target"),
        ("regression", frame(a=["x"], b=["1"]), Columns(), "no column of numbers"),
        ("regression", frame(a=["x"], b=["1"]), Columns(target="a"), "holds no numbers"),
        ("regression", frame(a=["1"], b=["1"]), Columns(target="a", features=("a",)), "both the target and a feature"),
        ("regression", frame(a=["1"], b=["1"]), Columns(features=("z",)), "features is to be 'z'"),
        ("images", frame(a=["1"]), Columns(), "A zip or a folder"),
    ],
)
def test_what_is_missing_is_named_with_the_columns_there_are(
    recipe: str, table: pd.DataFrame, asked: Columns, says: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        resolve_columns(table, recipe, asked)
    assert says in str(told.value)
