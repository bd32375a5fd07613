"""`python -m core …`: the same engine without a browser. Results on stdout, progress and errors on stderr."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from core import __version__, estimate_cli, interpret_cli, training_cli, venture_cli
from core.artefacts import Progress
from core.errors import GroundworkError, InvalidInput, ModelRefused
from core.terminal import terminal_progress

DEFAULT_MODEL = "smollm2-135m-instruct"
DEFAULT_ENCODER = "minilm-l6"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Groundwork without a browser: models, ONNX exports, generation, attention, benchmarks, estimates, plans.",
)
app.add_typer(estimate_cli.app, name="estimate")
app.command()(interpret_cli.attend)
app.command()(training_cli.finetune)
app.add_typer(training_cli.jobs_app, name="jobs")
app.command()(venture_cli.plan)
app.command()(venture_cli.captable)
app.command()(venture_cli.report)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ModelOption = Annotated[str, typer.Option("--model", help="Catalogue id, hub id, folder or .gguf file that was added.")]
AnyModelOption = Annotated[str, typer.Option("--model", help="The same, or server/model of a server that was added.")]
PrecisionOption = Annotated[
    str, typer.Option(help="auto, fp32, int8, int4 on the CPU; fp16, bf16, int8, int4 on a GPU.")
]
EncoderPrecisionOption = Annotated[str, typer.Option(help="auto, int8 or fp32 on the CPU; fp16 or fp32 on a GPU.")]
TextOption = Annotated[list[str], typer.Option("--text", help="A text; give the option again for more texts.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
JobOption = Annotated[str, typer.Option("--job", hidden=True, help="Report to this row of the job table.")]


@app.command()
def models(
    add: Annotated[str, typer.Option(help="Add a hub id (owner/name), a folder, or a .gguf file.")] = "",
    as_id: Annotated[str, typer.Option("--id", help="The id to add it under.")] = "",
    revision: Annotated[str, typer.Option(help="Hub revision to add; default: the newest.")] = "",
    remove: Annotated[str, typer.Option(help="Forget a model that was added.")] = "",
    as_json: JsonFlag = False,
    job: JobOption = "",
) -> None:
    """List the models, or add and remove one."""
    from core.models import catalogue
    from core.models.cards import ModelCard

    cards: tuple[ModelCard, ...]
    if add:
        with _progress(job) as progress:
            cards = (catalogue.add(add, model_id=as_id or None, revision=revision or None, progress=progress),)
    else:
        if remove:
            catalogue.remove(remove)
        cards = catalogue.list_models()
    if as_json:
        _print_json([asdict(card) for card in cards])
        return
    for card in cards:
        facts = card.architecture
        typer.echo(
            f"{card.id:28} {facts.parameters / 1e6:8.1f}M parameters  {card.task.value:20} "
            f"{card.licence:12} {card.source.kind.value}: {card.source.location}"
        )


@app.command()
def servers(
    add: Annotated[str, typer.Option(help="Add an OpenAI-compatible server, by its base URL.")] = "",
    name: Annotated[str, typer.Option(help="The name to add it under; default: made of its host and port.")] = "",
    model: Annotated[
        list[str] | None, typer.Option(help="A model it has; may be given several times. Default: ask for its list.")
    ] = None,
    remove: Annotated[str, typer.Option(help="Forget a server that was added.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """List the model servers, or add and remove one. Keys are read from GROUNDWORK_SERVER_KEYS, by host."""
    from core.models.servers import Server, add_server, fetch_models, key_for, list_servers, remove_server, suggest_name

    listed: tuple[Server, ...]
    if add:
        called = name or suggest_name(add)
        listed = (add_server(called, add, model or fetch_models(add, key_for(add, None))),)
    else:
        if remove:
            remove_server(remove)
        listed = list_servers()
    if as_json:
        _print_json([asdict(server) | {"has_key": key_for(server.base_url, None) is not None} for server in listed])
        return
    for server in listed:
        keyed = "with a key" if key_for(server.base_url, None) else "without a key"
        typer.echo(f"{server.name}  {server.base_url}  {keyed}")
        typer.echo("\n".join(f"  {server.name}/{model_name}" for model_name in server.models))
    if not listed:
        typer.echo("No model servers were added.")


@app.command()
def prepare(
    model: ModelOption = DEFAULT_MODEL,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    job: JobOption = "",
) -> None:
    """Get a model ready to answer: unpack its weights, export it, prove the export. Does nothing the second time."""
    from core.onnx.exports import ensure_export

    with _progress(job) as progress:
        ensure_export(model, precision=precision, device=device, progress=progress)


@app.command()
def export(
    model: ModelOption = DEFAULT_MODEL,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
    job: JobOption = "",
) -> None:
    """Export a model to ONNX and prove it against torch fp32; prints the path and the proof figures."""
    from core.onnx.exports import ensure_export

    with _progress(job) as progress:
        made = ensure_export(model, precision=precision, device=device, progress=progress)
    if as_json:
        _print_json(made.to_json())
        return
    bar = "" if made.proof.bar is not None else " No bar: read the figures before you rely on it."
    typer.echo(f"{made.path}  ({made.weights_bytes / 1e6:,.0f} MB)")
    typer.echo(f"{made.proof.details} Decided by {made.proof.words}.{bar}")


@app.command()
def verify(
    model: ModelOption = DEFAULT_MODEL,
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Check that the exports of a model are still the files that were proved. Exit status 1 when one is not."""
    from core.models import catalogue
    from core.onnx.devices import resolve_device
    from core.onnx.exports import list_exports, verify_export

    exports = list_exports(catalogue.get(model), resolve_device(device))
    with terminal_progress() as progress:
        found = [(export, verify_export(export, progress)) for export in exports]
    if as_json:
        _print_json([{"path": str(e.path), "precision": e.precision, "damaged": bad} for e, bad in found])
    else:
        for export, bad in found:
            verdict = f"damaged: {', '.join(bad)}; delete the folder and export again" if bad else "as it was proved"
            typer.echo(f"{export.precision:5} {export.path}: {verdict}")
        if not exports:
            typer.echo(f"{model} has no exports here.")
    if any(bad for _, bad in found):
        raise typer.Exit(1)


@app.command()
def generate(
    model: AnyModelOption = DEFAULT_MODEL,
    backend: Annotated[str, typer.Option(help="auto, onnx, torch or remote.")] = "auto",
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    prompt: Annotated[str | None, typer.Option(help="One user message, through the chat template.")] = None,
    messages: Annotated[Path | None, typer.Option(help='JSON file: a list of {"role", "content"}.')] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Take the prompt as it is, without the chat template.")] = False,
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer, in tokens.")] = 512,
    temperature: Annotated[float, typer.Option(help="0 always takes the likeliest token.")] = 0.2,
    top_k: Annotated[int, typer.Option(help="0 switches this off.")] = 0,
    top_p: Annotated[float, typer.Option(help="1 switches this off.")] = 0.9,
    min_p: Annotated[float, typer.Option(help="0 switches this off.")] = 0.0,
    repetition_penalty: Annotated[float, typer.Option(help="1 switches this off.")] = 1.0,
    frequency_penalty: Annotated[float, typer.Option(help="0 switches this off.")] = 0.0,
    presence_penalty: Annotated[float, typer.Option(help="0 switches this off.")] = 0.0,
    stop: Annotated[list[str] | None, typer.Option(help="Ends the answer; may be given several times.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed repeats the answer.")] = None,
    top_logprobs: Annotated[int, typer.Option(help="Alternatives kept for each token, 0 to 50.")] = 0,
    json_schema: Annotated[Path | None, typer.Option(help="File with a JSON schema that the answer must fit.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a prompt. The run is recorded like one of the app's."""
    from core.generation.constraint import parse_schema
    from core.generation.engine import Engine
    from core.generation.record import RecordedRun
    from core.generation.request import GenerationRequest, SamplingParameters
    from core.store.database import open_database

    parameters = SamplingParameters(
        max_new_tokens=max_new_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        frequency_penalty=frequency_penalty,
        presence_penalty=presence_penalty,
        stop=tuple(stop or ()),
        seed=seed,
        top_logprobs=top_logprobs,
        json_schema=parse_schema(_read_text(json_schema)) if json_schema else None,
    )
    if raw and (messages or prompt is None):
        raise InvalidInput("--raw takes the text of --prompt as it is.", next_step="Give --prompt, and no --messages.")
    request = GenerationRequest(
        model_id=model,
        parameters=parameters,
        messages=() if raw else _messages(prompt, messages),
        raw_prompt=(prompt or "") if raw else None,
        precision=precision,
        backend=backend,  # type: ignore[arg-type]  # checked by the engine, which names what is allowed
        device=device,  # type: ignore[arg-type]
    )
    engine = Engine()
    _prepare_for(engine, request)
    run = RecordedRun(engine, open_database(), request)
    for event in run.events():
        if not as_json:
            typer.echo(event.text, nl=False)
    done = run.completion
    if not as_json:
        rate = f"{done.tokens_per_s:.1f} tokens/s" if done.tokens_per_s else "too short for a rate"
        where = f"{done.precision or done.backend} on {done.device}"
        typer.echo()
        typer.echo(f"[{done.completion_tokens} tokens, {rate}, {where}, run {done.run_id}]", err=True)
        return
    _print_json(
        {
            "text": done.text,
            "token_ids": [event.token_id for event in done.events],
            "logprobs": [event.logprob for event in done.events],
            "top_logprobs": [[asdict(a) for a in event.alternatives] for event in done.events]
            if top_logprobs
            else None,
            "prompt_tokens": done.prompt_tokens,
            "completion_tokens": done.completion_tokens,
            "ttft_s": done.ttft_s,
            "tokens_per_s": done.tokens_per_s,
            "finish_reason": done.finish_reason.value,
            "seed": done.seed,
            "model": done.model_id,
            "revision": done.revision,
            "precision": done.precision,
            "backend": done.backend,
            "device": done.device,
            "run_id": done.run_id,
        }
    )


@app.command()
def embed(
    text: TextOption,
    model: ModelOption = DEFAULT_ENCODER,
    precision: EncoderPrecisionOption = "auto",
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Sentence embeddings: the mean of the token vectors, of unit length; a dot product is the cosine similarity."""
    encoder = _encoder(model, "feature-extraction", precision, device, text)
    vectors = encoder.embed(text)
    if as_json:
        _print_json({"embeddings": vectors.tolist()})
        return
    for one, row in zip(text, vectors @ vectors.T, strict=True):
        typer.echo(f"{' '.join(f'{value:6.3f}' for value in row)}  {one}")


@app.command()
def classify(
    model: Annotated[str, typer.Option("--model", help="A classifier of the catalogue, of texts or of images.")],
    text: Annotated[list[str] | None, typer.Option("--text", help="A text; give the option again for more.")] = None,
    image: Annotated[
        list[Path] | None, typer.Option("--image", help="A picture file; give the option again for more.")
    ] = None,
    precision: EncoderPrecisionOption = "auto",
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
) -> None:
    """The classes of each text, or of each picture, with their probabilities, likeliest first."""
    if bool(text) == bool(image):
        raise InvalidInput("Give either --text or --image, once at least, and not both.")
    if image:
        network = _network(model, "image-classification", precision, device)
        found = network.classify([network.read(file) for file in image])
    else:
        found = _encoder(model, "text-classification", precision, device, text or []).classify(text or [])
    if as_json:
        _print_json({"classes": [[asdict(score) for score in scores] for scores in found]})
        return
    for one, scores in zip(text or image or [], found, strict=True):
        typer.echo(f"{one}\n" + "\n".join(f"  {score.probability:6.1%}  {score.label}" for score in scores))


@app.command()
def predict(
    model: Annotated[str, typer.Option("--model", help="A model of the catalogue that predicts a number.")],
    data: Annotated[Path, typer.Option("--data", help="A table with a column for each feature.")],
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Predict a number for each row of a table; prints the table as CSV with the prediction as its last column."""
    from core.training.predictions import predict_table
    from exports.predictions_csv import predictions_csv

    found = predict_table(_network(model, "tabular-regression", "auto", device), data)
    for told in found.told:
        typer.echo(told, err=True)
    if as_json:
        rows = zip(found.rows, found.predicted, strict=True)
        _print_json({"target": found.target, "predictions": [{"row": row, "value": value} for row, value in rows]})
        return
    sys.stdout.write(predictions_csv(found).decode("utf-8-sig"))


@app.command(name="fill-mask")
def fill_mask(
    text: TextOption,
    model: Annotated[str, typer.Option("--model", help="A masked language model of the catalogue.")],
    top: Annotated[int, typer.Option(help="Choices for each mask.")] = 5,
    precision: EncoderPrecisionOption = "auto",
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
) -> None:
    """The likeliest words for each mask of a text."""
    encoder = _encoder(model, "fill-mask", precision, device, text)
    found = [encoder.fill_mask(one, top=top) for one in text]
    if as_json:
        _print_json({"choices": [[asdict(choice) for choice in choices] for choices in found]})
        return
    for choices in found:
        typer.echo("\n".join(f"{choice.probability:6.1%}  {choice.text}" for choice in choices))


def _encoder(model: str, task_name: str, precision: str, device: str, texts: list[str]) -> Any:
    """The model's export, made if it is not there, and loaded. Says so when a text is longer than it reads."""
    from core.onnx.encoder import Encoder, check_texts
    from core.onnx.exports import ensure_export
    from core.settings import get_settings

    _must_do(model, task_name)
    check_texts(texts)
    with terminal_progress() as progress:
        export = ensure_export(model, precision=precision, device=device, progress=progress)
    encoder = Encoder(export.path, device=export.device, threads=get_settings().threads)
    for place in encoder.truncated(texts):
        typer.echo(f"Text {place + 1} is longer than {encoder.context_length} tokens; its end is left out.", err=True)
    return encoder


def _network(model: str, task_name: str, precision: str, device: str) -> Any:
    """A small network's export, made if it is not there, and loaded."""
    from core.onnx.exports import ensure_export
    from core.onnx.network import NumberPredictor, PictureClassifier
    from core.settings import get_settings

    _must_do(model, task_name)
    with terminal_progress() as progress:
        export = ensure_export(model, precision=precision, device=device, progress=progress)
    kind = PictureClassifier if task_name == "image-classification" else NumberPredictor
    return kind(export.path, device=export.device, threads=get_settings().threads)


def _must_do(model: str, task_name: str) -> None:
    """Raises ModelRefused for a model of another task."""
    from core.models import catalogue

    if (card := catalogue.get(model)).task.value != task_name:
        raise ModelRefused(
            f"{card.id} is of the task {card.task.value}.",
            allowed=f"This command wants a {task_name} model.",
            next_step="`python -m core models` lists them.",
        )


@app.command()
def measure(
    model: ModelOption = DEFAULT_MODEL,
    precision: Annotated[
        list[str] | None, typer.Option(help="May be given several times. Default: those that are exported already.")
    ] = None,
    prompt_tokens: Annotated[
        list[int] | None, typer.Option(help="May be given several times. Default: 32, 128 and 512.")
    ] = None,
    batch: Annotated[
        list[int] | None, typer.Option(help="Prompts read together; may be given several times. Default: 1 and 4.")
    ] = None,
    new_tokens: Annotated[int, typer.Option(help="Tokens that each prompt is answered with.")] = 32,
    repeats: Annotated[int, typer.Option(help="Counted rounds of each cell; medians are printed.")] = 5,
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with every column instead of text.")] = False,
    job: JobOption = "",
) -> None:
    """Speed, first token, memory and load time on this machine, beside the machine's own limits. Rows are recorded."""
    from core.measure.grid import Grid, default_grid
    from core.measure.roofline import PHASES, share_of_limit
    from core.measure.run import measure as measured
    from core.measure.table import as_table
    from core.models import catalogue
    from core.onnx.devices import resolve_device
    from core.store.database import open_database
    from core.store.measurements import MeasurementRepository

    if as_json and as_csv:
        raise InvalidInput("Give either --json or --csv, and not both.")
    with _progress(job) as progress:
        where = resolve_device(device)
        usual = default_grid(catalogue.get(model), where, new_tokens)
        grid = Grid(
            prompt_tokens=tuple(prompt_tokens or usual.prompt_tokens),
            batches=tuple(batch or usual.batches),
            precisions=tuple(precision or usual.precisions),
            new_tokens=new_tokens,
            repeats=repeats,
        )
        kept = MeasurementRepository(open_database())
        rows = measured(model, grid, device=where, progress=progress, job_id=job or None)
        records = [kept.add(row) for row in rows]  # each at once: a grid that is cancelled keeps what it has
    if as_csv:
        from exports.measurements_csv import measurements_csv

        sys.stdout.write(measurements_csv(records).decode("utf-8"))
    elif as_json:
        shares = ({phase: share_of_limit(record, phase) for phase in PHASES} for record in records)
        told = [asdict(record) | {"share_of_limit": share} for record, share in zip(records, shares, strict=True)]
        _print_json({"measurements": told})
    else:
        typer.echo(as_table(records))


bench_app = typer.Typer(no_args_is_help=True, help="Ours beside a peer, in one run, as a ratio.")
app.add_typer(bench_app, name="bench")


@bench_app.command("generate")
def bench_generate(
    model: ModelOption = DEFAULT_MODEL,
    repeats: Annotated[int, typer.Option(min=1, help="Counted rounds; medians are printed.")] = 5,
    tokens: Annotated[int, typer.Option(min=8, help="New tokens a round.")] = 128,
    as_json: JsonFlag = False,
) -> None:
    """Decode speed: ours, transformers', a bare ONNX Runtime GenAI loop's, llama.cpp's when it is installed."""
    from benchmarks.generate import as_table, run

    figures = run(model, repeats=repeats, tokens=tokens)
    if as_json:
        _print_json(figures)
    else:
        typer.echo(as_table(figures))


@bench_app.command("encode")
def bench_encode(
    model: ModelOption = DEFAULT_ENCODER,
    repeats: Annotated[int, typer.Option(min=1, help="Counted rounds; medians are printed.")] = 7,
    as_json: JsonFlag = False,
) -> None:
    """Sentence embeddings of a batch: ours in int8 and transformers' in fp32."""
    from benchmarks.encode import as_table, run

    figures = run(model, repeats=repeats)
    if as_json:
        _print_json(figures)
    else:
        typer.echo(as_table(figures))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _messages(prompt: str | None, file: Path | None) -> tuple[Any, ...]:
    from core.generation.request import Message

    if (prompt is None) == (file is None):
        raise InvalidInput("Give either --prompt or --messages, and not both.")
    if file is None:
        return (Message("user", prompt or ""),)
    try:
        data = json.loads(_read_text(file))
        rows = data["messages"] if isinstance(data, dict) else data
        turns = tuple(Message(row["role"], row["content"]) for row in rows)
        if not all(isinstance(turn.content, str) for turn in turns):
            raise TypeError("a content that is no text")
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{file} holds no conversation: {error}.", allowed='It must be a JSON list of {"role": …, "content": …}.'
        ) from error
    bad = [turn.role for turn in turns if turn.role not in ("system", "user", "assistant")]
    if bad:
        raise InvalidInput(f"{file} has the role {bad[0]!r}.", allowed="Roles: system, user, assistant.")
    return turns


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"{file} cannot be read: {error}.", next_step="Check the path; text files are UTF-8."
        ) from error


def _prepare_for(engine: Any, request: Any) -> None:
    """Make what the run needs, with visible progress, in a process of its own: building runs torch, answering not."""
    import subprocess

    from core.models import catalogue
    from core.onnx.exports import find_export

    plan = engine.plan(request)
    if (
        plan.key.backend == "onnx"
        and find_export(catalogue.get(plan.key.model_id), plan.key.precision, plan.key.device) is None
    ):
        command = [sys.executable, "-m", "core", "prepare", "--model", plan.key.model_id]
        command += ["--precision", plan.key.precision, "--device", plan.key.device]
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
            raise typer.Exit(2)


@contextmanager
def _progress(job_id: str) -> Iterator[Progress]:
    """Progress to a job's row when there is one, else to stderr."""
    if job_id:
        from core.jobs import JobReporter
        from core.store.database import open_database

        with JobReporter(open_database(), job_id) as reporter:
            yield reporter.progress
        return
    with terminal_progress() as told:
        yield told


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def main() -> None:
    """Run the command line. A fault is told in one line on stderr, with exit status 2; never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")  # a pipe's own encoding may know no emoji
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        code = _usage_fault(error)
    except ValidationError as error:
        code = _fault(_settings_fault(error))
    except (GroundworkError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # whoever read the output has gone
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        code = _fault(str(error))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        code = 130
    raise SystemExit(code if isinstance(code, int) else 0)


def _fault(text: str) -> int:
    typer.echo(f"Error: {' '.join(text.split())}", err=True)
    return 2


def _usage_fault(error: typer.TyperException) -> int:
    """A wrong option in one line; a command without its arguments shows its help."""
    told = getattr(error, "format_message", lambda: str(error))()
    if "\n" not in told:
        return _fault(told)
    typer.echo(told)
    return 2


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]).upper()
    return name if "DATABASE_URL" in name else f"GROUNDWORK_{name}"


def _shown(fault: Mapping[str, Any]) -> str:
    return "not shown here" if fault["loc"][0] == "server_keys" else repr(fault["input"])  # it may hold a key


def _settings_fault(error: ValidationError) -> str:
    faults = (f"{_variable(fault['loc'])} is {_shown(fault)}: {fault['msg']}." for fault in error.errors())
    return " ".join(faults) + " Correct the environment variable, or the .env file."


if __name__ == "__main__":
    main()
