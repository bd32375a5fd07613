"""The Fine-tune page without a browser: every recipe has its inputs, faults stand beside them, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import InitialValue, Selectbox

from core.models.cards import Task
from core.store.database import Database
from core.store.jobs import JobRecord, JobRepository
from core.training import queue
from core.training.config import AnyConfig, parse_config, to_values, values_of
from core.training.data.samples import SAMPLES
from core.training.run_folder import RunFolder
from core.training.table import ALL
from pages.widgets import finetune_form
from pages.widgets.finetune_fields import FIELDS, in_words

pytestmark = pytest.mark.slow
SCRIPT = "from pages import finetune\nfinetune.render()"
QUICK = ("classification", "regression", "images")  # recipes whose sample sets are made in no time
TYPED = ("number_input", "text_input", "text_area", "selectbox", "multiselect", "toggle")
ODD: dict[str, dict[str, Any]] = {
    "causal": {"lora": None, "packing": True, "loss_on": "all", "max_tokens": 64, "sample_prompts": ["Hi", "And you?"]},
    "classification": {"lora": {"rank": 3, "targets": ["query", "value"]}},
    "masked": {"network": {"layers": 2, "hidden": 64}, "next_sentence": True, "mask_share": 0.2},
    "gpt": {"network": {"layers": 3, "dropout": 0.1}},
    "images": {"network": {"channels": [8, 16, 32], "colour": False, "size": 16}},
    "regression": {"layers": [32, 16]},
}
NOT_FOR = {  # inputs that would do nothing to such rows
    "images": ("data.columns.", "data.evaluation_path", "data.privacy", "data.augment.copies", "data.augment.word"),
    "regression": ("data.privacy", "data.augment."),
    "texts": ("data.augment.rotation", "data.augment.s", "data.augment.crop"),
}


@pytest.fixture(autouse=True)
def clean_services() -> Iterator[None]:
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def page(recipe: str = "", **inputs: object) -> AppTest:
    """inputs: by their names, `__` for a dot, as they are held in the session."""
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    if recipe:
        at.session_state["finetune_recipe"] = recipe
    for name, value in inputs.items():
        at.session_state[f"f_{recipe}_{name.replace('__', '.')}"] = value
    return at.run()


def shown(at: AppTest) -> str:
    """All that is written on the page."""
    kinds = (at.markdown, at.caption, at.error, at.warning, at.info, at.success)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def button(at: AppTest, label: str) -> Any:
    return next(one for one in at.button if one.label == label)


def box(at: AppTest, label: str) -> Any:
    return next(one for one in at.selectbox if one.label == label)


def data_of(at: AppTest) -> dict[str, Any]:
    """The data's part of the configuration that would be started: the YAML tells it."""
    text = next(one.value for one in at.code if "recipe:" in one.value)
    return dict(values_of(text.encode(), "run.yaml")["data"])


def csv(folder: Path, text: str) -> str:
    path = folder / "mine.csv"
    path.write_text(text)
    return str(path)


def odd(recipe: str) -> AnyConfig:
    """A configuration in which much is not as usual."""
    data = {"path": "/tmp/rows.csv", "test": 0.3, "seed": 7, "clean": {"shortest": 3}, "columns": {"text": "body"}}
    training = {"optimizer": "sgd", "learning_rate": 0.003, "epochs": 2.5, "steps": 9, "seed": 5, "threads": 1}
    return parse_config({"recipe": recipe, "name": "Ada", "data": data, "training": training, **ODD[recipe]})


def finished(db: Database, config: AnyConfig, kind: str, result: dict[str, Any]) -> JobRecord:
    jobs = JobRepository(db)
    job, _ = jobs.create(kind, "A run", {"config": to_values(config)})
    jobs.start(job.id)
    return jobs.finish(job.id, "done", result)


def tried(**changes: Any) -> dict[str, Any]:
    """What a dry run found."""
    return {
        "fits": True,
        "reasons": [],
        "sentence": "40 steps take about 3 s.",
        "seconds": [2.0, 3.0, 5.0],
        "memory_bytes": [4e8, 5e8, 6e8],
        "memory_there_bytes": 8e9,
        "disk_bytes": 4_000_000,
        "steps": 40,
        "evaluate_every": 4,
        "step_s": [0.05, 0.06, 0.08],
        "units_per_s": 900.0,
        "unit": "rows",
        "rows": 310,
        "parameters": 11,
        "trained_parameters": 11,
        "device": "cpu",
        "busy": False,
        "choices": [],
    } | changes


def test_an_empty_house_says_what_to_do_first(home: Path) -> None:
    at = page()
    assert not at.exception
    assert "Nothing was trained here yet" in shown(at)
    assert {one.title for one in ALL} <= {one.label for one in at.button}
    assert "Start training" not in [one.label for one in at.button]
    button(at, "Begin with handwritten digits: under two minutes").click().run()
    told = shown(at)
    assert "pictures to learn from" in told
    assert "Nothing was trained here yet" not in told
    assert "[5 · Go](#go)" in told


@pytest.mark.parametrize("recipe", QUICK)
def test_a_recipe_is_ready_to_start_with_its_sample_set(home: Path, recipe: str) -> None:
    at = page(recipe)
    assert not at.exception
    assert not at.error
    assert "to learn from" in shown(at)
    assert not button(at, "Start training").disabled
    assert not button(at, "Try a few steps").disabled


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["causal", "gpt", "masked"])
def test_a_language_recipe_is_ready_to_start_with_its_sample_set(home: Path, recipe: str) -> None:
    at = page(recipe)
    assert not at.exception
    assert not at.error
    assert not button(at, "Start training").disabled


@pytest.mark.parametrize("recipe", [one.name for one in ALL])
def test_every_key_of_a_configuration_has_an_input(recipe: str) -> None:
    keys = {name for name, _ in finetune_form.flat(to_values(odd(recipe))) if name not in ("recipe", "data.path")}
    assert {key for key in keys if key not in FIELDS} <= {"lora", "network"}  # null, or a section of inputs
    assert set(finetune_form.fields_of(recipe)) >= {key for key in keys if key in FIELDS}


@pytest.mark.parametrize("recipe", [one.name for one in ALL])
def test_every_input_of_a_recipe_can_be_reached(home: Path, tmp_path: Path, recipe: str) -> None:
    path = csv(
        tmp_path, "text,class,y,x\n" + "".join(f"a long text number {n},{n % 2},{n},{n * 2}\n" for n in range(60))
    )
    both: dict[str, Any] = {"way": "path", "typed": path} if recipe != "images" else {}
    reached: set[str] = set()
    for change in ({"method": "lora", "begin": "nothing"}, {"method": "full", "begin": "base"}):
        held = finetune_form.defaults(recipe)
        own = {name: value for name, value in change.items() if name in held}
        judged = {} if recipe == "images" or "base" not in change.values() else {"data.evaluation_path": path}
        at = page(recipe, **both, **own, **judged, **{"training.optimizer": "sgd"})
        assert not at.exception
        keys = [str(one.key) for kind in TYPED for one in getattr(at, kind)]
        reached |= {key.removeprefix(f"f_{recipe}_").split("@")[0] for key in keys}
    useless = NOT_FOR.get(recipe, NOT_FOR["texts"])
    wanted = {name for name in finetune_form.fields_of(recipe) if not name.startswith(useless)}
    if recipe != "images":
        wanted -= {name for name in wanted if name.startswith("data.augment.")} if recipe == "gpt" else set()
        wanted -= _columns_of_others(recipe)
    wanted -= {"data.clean.rarest_label"} if recipe in ("causal", "gpt", "masked", "regression") else set()
    wanted -= {"data.clean.normalise", "data.clean.shortest", "data.clean.longest"} if recipe in QUICK[1:] else set()
    wanted -= {"data.clean.drop_leaks"} if recipe == "images" else set()
    assert wanted <= reached


def _columns_of_others(recipe: str) -> set[str]:
    from pages.widgets.finetune_columns import PARTS

    return {name for name in FIELDS if name.startswith("data.columns.") and name.split(".")[-1] not in PARTS[recipe]}


@pytest.mark.parametrize("recipe", [one.name for one in ALL])
def test_a_configuration_comes_back_out_of_the_inputs(recipe: str) -> None:
    config = odd(recipe)
    assert parse_config(finetune_form.to_values(recipe, finetune_form.inputs_of(config))) == config


def test_a_run_fills_the_builder(home: Path) -> None:
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    at.session_state["finetune_draft"] = to_values(odd("regression"))
    at.run()
    assert not at.exception
    assert at.session_state["finetune_recipe"] == "regression"
    assert at.number_input(key="f_regression_training.epochs").value == 2.5
    assert at.text_input(key="f_regression_typed").value == "/tmp/rows.csv"
    assert at.text_input(key="f_regression_layers").value == "32, 16"


def test_a_draft_that_is_no_configuration_is_a_message(home: Path) -> None:
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    at.session_state["finetune_draft"] = {"recipe": "regression", "data": {"path": "x", "colour": 3}}
    at.run()
    assert not at.exception
    assert "there is no such key" in at.error[0].value


def test_a_link_begins_from_a_model(home: Path) -> None:
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    at.query_params["base"] = "minilm-l6"
    at.run()
    assert not at.exception
    assert at.session_state["finetune_recipe"] == "classification"
    assert at.session_state["f_classification_model"] == "minilm-l6"
    assert "base" not in at.query_params
    lost = AppTest.from_string(SCRIPT, default_timeout=60)
    lost.query_params["base"] = "nobody"
    lost.run()
    assert "There is no model 'nobody'" in lost.error[0].value


def test_a_fault_stands_beside_its_input_and_nothing_is_lost(home: Path) -> None:
    at = page("regression", training__epochs=-3.0, training__learning_rate=50.0, layers="32, many")
    assert not at.exception
    beside = [one.value for one in at.markdown if one.value.startswith(":red")]
    assert len(beside) == 3
    assert any("greater than 0" in one for one in beside)
    assert "“Epochs” is -3.0" in at.error[0].value
    assert button(at, "Start training").disabled
    assert button(at, "Try a few steps").disabled
    assert at.text_input(key="f_regression_layers").value == "32, many"
    at.number_input(key="f_regression_training.epochs").set_value(2.0).run()
    assert at.number_input(key="f_regression_training.learning_rate").value == 50.0
    at.number_input(key="f_regression_training.learning_rate").set_value(0.1)
    at.text_input(key="f_regression_layers").set_value("32, 8").run()
    assert not at.error
    assert not button(at, "Start training").disabled


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there"),
        ("", "is empty"),
        ("a,b\n1,2\n", "No column is recognised as text and label"),
        ("text,label\nonly one,x\n", "row"),
    ],
)
def test_bad_data_is_told_where_it_was_named(home: Path, tmp_path: Path, content: str | None, said: str) -> None:
    path = csv(tmp_path, content) if content is not None else str(tmp_path / "nothing.csv")
    at = page("classification", way="path", typed=path, training__epochs=2.0)
    assert not at.exception
    assert said in at.error[0].value
    assert button(at, "Start training").disabled
    assert at.text_input(key="f_classification_typed").value == path
    assert at.number_input(key="f_classification_training.epochs").value == 2.0


def test_columns_can_be_said(home: Path, tmp_path: Path) -> None:
    lines = "".join(f"the parcel number {n} is late,{'yes' if n % 2 else 'no'},shop\n" for n in range(80))
    at = page("classification", way="path", typed=csv(tmp_path, "what,which,where\n" + lines))
    assert "recognised as label" in at.error[0].value
    box(at, "Label").set_value("which").run()
    assert not at.error
    assert "auto: what" in box(at, "Text").options
    assert "to learn from" in shown(at)


def test_a_column_that_a_configuration_names_and_the_file_has_not_is_told(home: Path) -> None:
    at = page("classification", data__columns__label="mood")
    assert not at.exception
    assert "mood (not in this file)" in box(at, "Label").options
    assert "'mood'" in at.error[0].value
    box(at, "Label").set_value("").run()
    assert not at.error
    assert not [option for option in box(at, "Label").options if "mood" in option]


def test_what_a_box_says_never_becomes_its_column(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Selectbox, "_widget_state", property(_as_a_browser_sends({})))
    at = page("regression")
    assert "auto: progression" in box(at, "Number to predict").options
    asked = data_of(at)["columns"]
    for name in ("linear-line", "diabetes"):
        at.selectbox(key="f_regression_sample").set_value(name).run()
        at.number_input(key="f_regression_training.epochs").set_value(5.0).run()
        assert not at.error
        assert not at.exception
        assert data_of(at)["columns"] == asked
    assert box(at, "Number to predict").value == ""


def _as_a_browser_sends(kept: dict[str, str]) -> Any:
    """A browser sends the words that a box showed when it came, whatever its options are called since."""
    own = Selectbox._widget_state.fget

    def sent(one: Selectbox[Any]) -> Any:
        found = own(one)
        if isinstance(one._value, InitialValue):
            found.string_value = kept.setdefault(one.id, found.string_value)
        kept[one.id] = found.string_value
        return found

    return sent


def test_chosen_columns_belong_to_their_file(home: Path, tmp_path: Path) -> None:
    rows = "".join(f"{n},{n * 2},{n % 7}\n" for n in range(80))
    path = csv(tmp_path, "first,second,third\n" + rows)
    at = page("regression", way="path", typed=path)
    box(at, "Number to predict").set_value("first").run()
    assert data_of(at)["columns"]["target"] == "first"
    at.session_state["f_regression_way"] = "sample"
    at.run()
    assert not at.error
    assert data_of(at)["columns"]["target"] == ""
    assert box(at, "Number to predict").value == ""
    at.session_state["f_regression_way"] = "path"
    at.run()
    assert box(at, "Number to predict").value == "first"


def test_labels_that_name_rows_are_told_once(home: Path, tmp_path: Path) -> None:
    rows = "".join(f"the parcel number {n} is late again,order-{n}\n" for n in range(59))
    at = page("classification", way="path", typed=csv(tmp_path, "text,label\n" + rows))
    assert "59 labels with one row each: is 'label' the right column?" in at.error[0].value
    assert "No row is left" not in shown(at)


def test_an_emptied_number_says_what_is_taken(home: Path) -> None:
    at = page("regression", **{"training.clip_norm": None})
    assert "0 is off" in at.number_input(key="f_regression_training.clip_norm").placeholder
    assert "Left empty: 1 is taken." in shown(at)


def test_findings_and_personal_data_are_named_with_their_rows(home: Path, tmp_path: Path) -> None:
    rows = [f"the parcel number {n} is late,{'yes' if n % 2 else 'no'}" for n in range(80)]
    rows[4] = "write to ada.lovelace@example.com,yes"
    rows[7] = ",no"
    rows[9] = rows[11]
    at = page("classification", way="path", typed=csv(tmp_path, "\n".join(["text,label", *rows])))
    told = shown(at)
    assert "row 8" in told
    assert "row 12" in told
    found = next(one.value for one in at.dataframe if "Kind" in one.value.columns)
    assert list(found["Kind"]) == ["e-mail"]
    assert list(found["In rows"]) == ["5"]
    assert "ada.lovelace" not in str(found)
    assert at.selectbox(key="f_classification_data.privacy").value == "mask"
    steps = next(one.value for one in at.dataframe if "Rows left" in one.value.columns)
    assert list(steps["Rows left"])[-1] == 78


@pytest.mark.slow
def test_lengths_and_labels_are_drawn(real_home: Path) -> None:
    at = page("classification")
    assert not at.exception
    assert len(at.get("plotly_chart")) == 2
    assert at.number_input(key="f_classification_max_tokens").placeholder.startswith("auto: ")


def test_a_try_is_drawn_for_its_configuration_and_told_to_be_outdated_for_another(home: Path, db: Database) -> None:
    config = parse_config(finetune_form.to_values("regression", finetune_form.defaults("regression")))
    job = finished(db, config, queue.DRY_RUN, tried())
    at = page("regression")
    assert "40 steps take about 3 s" in shown(at).replace("\\", "")
    assert not at.warning
    at.session_state["finetune_try"] = job.id
    at.number_input(key="f_regression_training.epochs").set_value(7.0).run()
    assert "Outdated" in at.warning[0].value
    button(at, "Classify images").click().run()
    assert "40 steps take" not in shown(at)
    button(at, "Predict a number").click().run()
    at.text_input(key="f_regression_name").set_value("A name alone changes nothing")
    at.number_input(key="f_regression_training.epochs").set_value(None).run()
    assert not at.warning


def test_the_price_of_an_hour_gives_a_cost(home: Path, db: Database) -> None:
    config = parse_config(finetune_form.to_values("regression", finetune_form.defaults("regression")))
    finished(db, config, queue.DRY_RUN, tried(seconds=[1800.0, 3600.0, 7200.0]))
    at = page("regression")
    at.number_input(key="finetune_price").set_value(2.5).run()
    assert "$2.5" in shown(at)


def test_what_cannot_fit_is_refused_with_its_reasons(home: Path, db: Database) -> None:
    config = parse_config(finetune_form.to_values("regression", finetune_form.defaults("regression")))
    finished(db, config, queue.DRY_RUN, tried(fits=False, reasons=["It takes 90 GB of memory and 8 GB are there."]))
    at = page("regression")
    assert button(at, "Start training").disabled
    assert sum("90 GB" in one.value for one in at.error) == 2  # beside the estimate, and beside the button
    at.number_input(key="f_regression_training.batch_size").set_value(1).run()
    assert not button(at, "Start training").disabled


def test_the_queue_can_be_put_in_order(home: Path, db: Database) -> None:
    jobs = JobRepository(db)
    here = queue.queue_name("cpu")
    command = {"config": to_values(odd("regression"))}
    running, first, second = (jobs.create(queue.KIND, name, command, queue=here)[0] for name in ("now", "one", "two"))
    jobs.start(running.id)
    jobs.progress(running.id, 0.4, "Training", {"step": 40, "steps": 100, "loss": 0.5, "eta_s": 60.0})
    at = page("regression")
    assert not at.exception
    assert "step 40 of 100, loss 0.5" in shown(at)
    assert button(at, "Add to the queue")
    assert at.button(key=f"earlier_{first.id}").disabled
    at.button(key=f"earlier_{second.id}").click().run()
    assert [job.title for job in queue.waiting(db)] == ["two", "one"]
    at.button(key=f"cancel_{first.id}").click().run()
    assert jobs.get(first.id).state == "cancelled"
    assert at.button(key=f"cancel_{running.id}").label == "Cancel this run"  # of one that runs it is asked twice
    at.button(key=f"cancel_{running.id}").click().run()
    assert jobs.get(running.id).cancel_requested


def test_an_interrupted_run_says_what_was_saved_and_can_be_deleted(home: Path, db: Database) -> None:
    jobs = JobRepository(db)
    job, _ = jobs.create(queue.KIND, "the long one", {"config": to_values(odd("regression"))})
    jobs.start(job.id)
    jobs.finish(job.id, "interrupted")
    RunFolder(job.id).path.mkdir(parents=True)
    at = page()
    assert not at.exception
    assert "interrupted: nothing was saved yet" in shown(at)
    assert at.button(key=f"resume_{job.id}")
    at.button(key=f"delete_{job.id}").click().run()
    assert not jobs.list(kind=queue.KIND)
    assert not RunFolder(job.id).path.exists()


def test_a_run_that_is_done_shows_its_figure_beside_the_baseline(home: Path, db: Database) -> None:
    result = {
        "headline": "f1_macro",
        "headline_title": "F1 (macro)",
        "metrics": {"f1_macro": 0.91234},
        "baseline": {"f1_macro": 0.85},
    }
    for _ in range(2):
        finished(db, odd("classification"), queue.KIND, result)
    at = page()
    assert "F1 (macro) 0.912** (baseline 0.85)" in shown(at).replace("\\", "")
    assert button(at, "Compare").disabled


@pytest.mark.parametrize("asked", [{"run": "nobody"}, {"compare": "nobody,else"}])
def test_a_link_to_a_run_that_is_gone_is_a_message(home: Path, asked: dict[str, str]) -> None:
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    for name, value in asked.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    assert at.error or at.warning or at.info


def test_messages_speak_of_inputs_not_of_keys() -> None:
    assert (
        in_words("training.epochs is -1, or set data.clean.rarest_label.")
        == "“Epochs” is -1, or set “Rarest label, rows”."
    )


def test_every_sample_set_is_offered() -> None:
    offered = {one.name for recipe in ALL for one in finetune_form.samples_of(recipe.name)}
    assert offered == {one.name for one in SAMPLES}


def test_every_task_that_reads_text_can_be_gone_on_from() -> None:
    from pages.widgets.finetune_settings import BASES

    assert {task for tasks in BASES.values() for task in tasks} == {task for task in Task if task.reads_text}


@pytest.mark.slow
def test_torch_is_not_imported_to_draw_the_builder(home: Path) -> None:
    script = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        f"at = AppTest.from_string({SCRIPT!r}, default_timeout=60)\n"
        "at.session_state['finetune_recipe'] = 'classification'\nat.run()\n"
        "assert not at.exception and at.header\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_a_cluster_is_offered_where_one_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = page("regression")
    at.run()
    assert "Where" not in [control.label for control in at.segmented_control]
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    at = page("regression")
    at.session_state["finetune_where"] = "Ray cluster"
    at.run()
    assert not at.exception
    assert "'head:6379' is no address that takes Ray jobs" in shown(at)
    assert button(at, "Start training").disabled
    monkeypatch.setenv("RAY_ADDRESS", "http://head:8265")
    at.run()
    assert "Workers" in [number.label for number in at.number_input]
    assert not button(at, "Start training").disabled


@pytest.mark.parametrize(("path", "kept"), [("sample:a-line", "hours"), ("sample:diabetes", "")])
def test_a_choice_told_again_after_the_file_was_changed_is_none_for_the_new_one(path: str, kept: str) -> None:
    """path: of the file whose box tells it; the page is at a-line."""

    def script(path: str) -> None:
        import streamlit as st

        from pages import state
        from pages.widgets import finetune_form

        state.put_finetune("regression", "source", "sample:a-line")
        state.put_finetune("regression", "data.columns.target", "")
        st.session_state["box"] = "hours"
        finetune_form._keep_choice("regression", "data.columns.target", "box", ("", "hours"), path)
        st.text(state.finetune_form("regression")["data.columns.target"])

    at = AppTest.from_function(script, args=(path,)).run()
    assert not at.exception
    assert at.text[0].value == kept
