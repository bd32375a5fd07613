"""What becomes of what a server answers, piece by piece, against a scripted server on loopback."""

from __future__ import annotations

import pytest

from core.errors import RemoteFailed
from core.generation.engine import Engine
from core.generation.request import Completion, FinishReason, Stage, Status
from tests.generation.openai_server import MODEL, OpenAIServer, Reply, Silence, answering, chunk, token, usage
from tests.generation.remote_asking import ID, ask
from tests.generation.runs import run


@pytest.fixture
def engine(server: OpenAIServer) -> Engine:
    return Engine()


def texts(done: Completion) -> list[str]:
    return [event.text for event in done.events]


def test_a_completion_takes_the_text_as_it_is_and_reads_the_older_log_probabilities(
    engine: Engine, server: OpenAIServer
) -> None:
    told = {"tokens": ["On", "ce"], "token_logprobs": [-0.5, None], "top_logprobs": [{"Tw": -1.5, "On": -0.5}, None]}
    piece = {"id": "1", "object": "text_completion", "created": 1, "model": MODEL}
    server.replies = [
        Reply(
            items=[
                piece | {"choices": [{"index": 0, "text": "Once", "finish_reason": None, "logprobs": told}]},
                piece | {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]},
            ]
        )
    ]
    done = run(engine, ask("Write", raw=True, top_logprobs=9))
    assert server.asked[0].path == "/v1/completions"
    assert (server.asked[0].body["prompt"], server.asked[0].body["logprobs"]) == ("Write", 5)
    assert "messages" not in server.asked[0].body
    assert (texts(done), done.finish_reason) == (["On", "ce"], FinishReason.LENGTH)
    assert [event.logprob for event in done.events] == [-0.5, None]
    assert [(a.text, a.logprob) for a in done.events[0].alternatives] == [("On", -0.5), ("Tw", -1.5)]


@pytest.mark.parametrize("raw", [False, True])
def test_a_schema_is_asked_for_and_looked_after(engine: Engine, server: OpenAIServer, raw: bool) -> None:
    schema = {"enum": ["yes"]}
    with pytest.raises(RemoteFailed, match="did not keep to the JSON schema"):
        run(engine, ask(raw=raw, json_schema=schema))
    told = server.asked[0].body["response_format"]
    assert (told["type"], told["json_schema"]["schema"]) == ("json_schema", schema)
    if not raw:
        server.replies = [answering('"yes"')]
        assert run(engine, ask(json_schema=schema)).text == '"yes"'


def test_without_log_probabilities_an_event_is_a_piece(engine: Engine, server: OpenAIServer) -> None:
    told: list[Status] = []
    stream = engine.stream(ask(), on_status=told.append)
    assert [(e.index, e.text, e.token_text, e.token_id, e.logprob, e.alternatives) for e in stream] == [
        (0, "Hel", "Hel", -1, None, ()),
        (1, "lo", "lo", -1, None, ()),
    ]
    done = stream.completion
    assert (done.text, done.finish_reason) == ("Hello", FinishReason.STOP)
    assert (done.model_id, done.backend, done.device) == (ID, "remote", server.host)
    assert (done.revision, done.precision) == ("", "")
    assert (done.prompt_tokens, done.completion_tokens) == (0, 2)  # the server counted nothing
    assert done.ttft_s == done.events[0].time_s
    assert [status.stage for status in told] == [Stage.READING, Stage.ANSWERING, Stage.DONE]


def test_figures_are_the_servers_where_it_counts(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [answering("Hel", "lo", usage(21, 11, prompt_tokens_details={"cached_tokens": 16}))]
    done = run(engine, ask())
    assert (done.prompt_tokens, done.completion_tokens, done.cached_tokens) == (21, 11, 16)
    assert done.tokens_per_s == pytest.approx(10 / (done.events[-1].time_s - done.events[0].time_s))


def test_log_probabilities_make_an_event_of_each_token(engine: Engine, server: OpenAIServer) -> None:
    hello = chunk("Hello", logprobs=[token("Hel", -0.1, others=[("Hel", -0.1), ("Good", -2.0)]), token("lo", -0.2)])
    server.replies = [answering(hello)]
    first, second = run(engine, ask(top_logprobs=3)).events
    assert server.asked[0].body["logprobs"] is True
    assert server.asked[0].body["top_logprobs"] == 3
    assert (first.text, first.token_text, first.logprob, second.text) == ("Hel", "Hel", -0.1, "lo")
    assert [(a.token_id, a.text, a.logprob) for a in first.alternatives] == [(-1, "Hel", -0.1), (-1, "Good", -2.0)]
    assert first.alternatives[0].sampled_probability is None
    assert first.sampled_probability is None


def test_a_figure_that_is_no_number_is_left_out(engine: Engine, server: OpenAIServer) -> None:
    odd = token("Hi", others=[("Ho", -1.0)]) | {"logprob": None}
    odd["top_logprobs"][0]["logprob"] = float("-inf")  # type: ignore[index]  # "-Infinity" on the wire
    server.replies = [answering(chunk("Hi", logprobs=[odd]))]
    (event,) = run(engine, ask(top_logprobs=1)).events
    assert (event.text, event.logprob, event.alternatives) == ("Hi", None, ())


def test_half_a_character_is_never_shown(engine: Engine, server: OpenAIServer) -> None:
    smile = "🙂".encode()
    server.replies = [
        answering(
            chunk("a", logprobs=[token("a")]),
            chunk("", logprobs=[token("\ufffd", data=smile[:1])]),
            chunk(None, logprobs=[token("\ufffd", data=smile[1:3])]),
            chunk("🙂b", logprobs=[token("\ufffd", data=smile[3:]), token("b")]),
        )
    ]
    done = run(engine, ask(top_logprobs=1))
    assert texts(done) == ["a", "", "", "🙂", "b"]
    assert done.text == "a🙂b"


def test_a_character_cut_between_two_pieces_is_joined(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [answering("a\ud83d", "\ude42b")]  # JSON carries each half as an escape
    done = run(engine, ask())
    assert (done.text, texts(done)) == ("a🙂b", ["a", "🙂b"])
    server.replies = [answering("a\ud83d")]
    done = run(engine, ask())
    assert (done.text, texts(done)) == ("a\ufffd", ["a", "\ufffd"])


def test_the_servers_text_counts_where_its_tokens_say_something_else(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [
        answering(
            chunk("Hello", logprobs=[token("▁Hel"), token("lo")]),
            chunk("", logprobs=[token("<|im_end|>")]),
        )
    ]
    done = run(engine, ask(top_logprobs=1))
    assert (done.text, texts(done)) == ("Hello", ["", "Hello", ""])
    assert [event.token_text for event in done.events] == ["▁Hel", "lo", "<|im_end|>"]


def test_reasoning_is_not_the_answer(engine: Engine, server: OpenAIServer) -> None:
    thinking = [chunk(None, reasoning_content="hmm"), chunk(None, reasoning="well")]
    server.replies = [answering(*thinking, "Yes", ".", usage(5, 30))]
    done = run(engine, ask())
    assert done.text == "Yes."
    assert done.ttft_s is not None
    assert done.ttft_s < done.events[0].time_s  # the first token is one of thought, and so the rate counts them all


@pytest.mark.parametrize("obeys", [True, False])
def test_a_stop_string_ends_the_answer_and_is_left_out(engine: Engine, server: OpenAIServer, obeys: bool) -> None:
    goes_on = Reply(items=[chunk("one T"), chunk("WO"), chunk(" and so on"), Silence()])
    server.replies = [answering("one T", "WO", usage(9, 4)) if obeys else goes_on]
    done = run(engine, ask(stop=("TWO",)))
    assert (done.text, texts(done), done.finish_reason) == ("one ", ["one ", ""], FinishReason.STOP)
    assert done.prompt_tokens == (9 if obeys else 0)


def test_what_only_looked_like_a_stop_string_is_given_back(engine: Engine, server: OpenAIServer) -> None:
    server.replies = [answering("one T")]
    done = run(engine, ask(stop=("TWO",)))
    assert (done.text, "".join(texts(done)), done.completion_tokens) == ("one T", "one T", 1)


@pytest.mark.parametrize(
    ("word", "reason"),
    [("stop", FinishReason.STOP), ("eos_token", FinishReason.STOP), ("length", FinishReason.LENGTH)],
)
def test_why_it_ended(engine: Engine, server: OpenAIServer, word: str, reason: FinishReason) -> None:
    server.replies = [answering("x", finish=word)]
    assert run(engine, ask()).finish_reason is reason
