from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from core.errors import InvalidInput, NotFound
from core.store.columns import utc_now
from core.store.database import Database
from core.store.runs import NewRun, RunRepository
from core.store.schema import MessageRow, SessionRow, new_id
from core.store.sessions import SessionRepository


@pytest.fixture
def sessions(db: Database) -> SessionRepository:
    return SessionRepository(db)


def test_a_session_comes_back_as_it_was_created(sessions: SessionRepository) -> None:
    made = sessions.create(title="  Pricing\n call ", system_prompt="Be brief.", settings={"model_id": "m", "k": 1})
    assert made == sessions.get(made.id)
    assert made.title == "Pricing call"
    assert made.settings == {"model_id": "m", "k": 1}
    assert made.created_at.utcoffset() == timedelta(0)
    assert abs(utc_now() - made.created_at) < timedelta(seconds=10)


def test_an_edit_and_a_second_answer_make_siblings(sessions: SessionRepository) -> None:
    session = sessions.create().id
    question = sessions.add_message(session, None, "user", "Why?")
    answer = sessions.add_message(session, question.id, "assistant", "Because.")
    again = sessions.add_message(session, question.id, "assistant", "For a reason.")
    follow_up = sessions.add_message(session, again.id, "user", "Which?")
    edited = sessions.add_message(session, None, "user", "How?")

    assert sessions.siblings(answer.id) == [answer, again]
    assert sessions.siblings(edited.id) == [question, edited]
    assert [message.ordinal for message in sessions.messages(session)] == [0, 1, 2, 3, 4]
    assert sessions.path(session) == [edited]
    assert sessions.path(session, answer.id) == [question, answer]
    assert sessions.deepest_leaf(question.id) == follow_up
    assert sessions.deepest_leaf(answer.id) == answer

    sessions.set_leaf(session, follow_up.id)
    assert sessions.path(session) == [question, again, follow_up]
    assert sessions.get(session).updated_at == edited.created_at
    sessions.set_leaf(session, None)
    assert sessions.path(session) == []


def test_a_message_stays_in_its_session(sessions: SessionRepository) -> None:
    one, other = sessions.create().id, sessions.create().id
    message = sessions.add_message(one, None, "user", "Hi")
    with pytest.raises(NotFound):
        sessions.add_message(other, message.id, "assistant", "Hello")
    with pytest.raises(NotFound):
        sessions.set_leaf(other, message.id)
    with pytest.raises(NotFound):
        sessions.path(other, message.id)


def test_unknown_ids_are_not_found(sessions: SessionRepository) -> None:
    session = sessions.create().id
    message = sessions.add_message(session, None, "user", "Hi").id
    for bad in ("nope", "", "\0", "\ud800", "x" * 10_000):
        for call in (
            lambda bad=bad: sessions.get(bad),
            lambda bad=bad: sessions.rename(bad, "x"),
            lambda bad=bad: sessions.update_settings(bad, {}),
            lambda bad=bad: sessions.delete(bad),
            lambda bad=bad: sessions.undelete(bad),
            lambda bad=bad: sessions.messages(bad),
            lambda bad=bad: sessions.path(bad),
            lambda bad=bad: sessions.add_message(bad, None, "user", "x"),
            lambda bad=bad: sessions.add_message(session, bad, "user", "x"),
            lambda bad=bad: sessions.add_message(session, None, "user", "x", run_id=bad),
            lambda bad=bad: sessions.siblings(bad),
            lambda bad=bad: sessions.deepest_leaf(bad),
            lambda bad=bad: sessions.attach_run(message, bad),
            lambda bad=bad: sessions.set_content(bad, "x"),
        ):
            with pytest.raises(NotFound):
                call()


def test_newest_first_and_a_message_moves_its_session_up(sessions: SessionRepository) -> None:
    ids = [sessions.create(title=f"Session {number}").id for number in range(3)]
    sessions.add_message(ids[0], None, "user", "Hi")
    sessions.rename(ids[1], "Renamed")
    assert [session.id for session in sessions.list()] == [ids[0], ids[2], ids[1]]
    assert [session.id for session in sessions.list(limit=1, offset=1)] == [ids[2]]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("PRICING", {"Pricing"}),
        ("über", {"Pricing"}),
        ("50%", {"Discount 50%"}),
        ("%", {"Discount 50%"}),
        ("_", {"snake_case"}),
        ("\\", {"back\\slash"}),
        ("мир", {"World"}),
        ("عالم", {"World"}),
        ("🚀", {"World"}),
        ("  ", {"Pricing", "Discount 50%", "snake_case", "back\\slash", "World"}),
        ("'; DROP TABLE session; --", set()),
        ("\0", set()),
    ],
)
def test_search_takes_every_character_literally(sessions: SessionRepository, search: str, found: set[str]) -> None:
    for title, content in [
        ("Pricing", "ÜBER all"),
        ("Discount 50%", "500"),
        ("snake_case", "x"),
        ("back\\slash", "y"),
        ("World", "МИР مرحبا يا عالم 🚀"),
    ]:
        sessions.add_message(sessions.create(title=title).id, None, "user", content)
    assert {session.title for session in sessions.list(search)} == found


@pytest.mark.parametrize("title", ["", " \n\t", "x" * 201])
def test_a_title_out_of_bounds_is_refused(sessions: SessionRepository, title: str) -> None:
    session = sessions.create(title="Before")
    with pytest.raises(InvalidInput, match="1 to 200"):
        sessions.rename(session.id, title)
    assert sessions.get(session.id).title == "Before"


def test_a_title_may_have_200_characters_of_any_script(sessions: SessionRepository) -> None:
    title = "🚀" * 200
    assert sessions.rename(sessions.create().id, f" {title} ").title == title


def test_unknown_modes_and_roles_are_refused(sessions: SessionRepository) -> None:
    with pytest.raises(InvalidInput, match="chat, completion"):
        sessions.create(mode="voice")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="assistant"):
        sessions.add_message(sessions.create().id, None, "robot", "x")  # type: ignore[arg-type]


def test_settings_are_replaced_and_the_system_prompt_kept(sessions: SessionRepository) -> None:
    session = sessions.create(system_prompt="Be brief.", settings={"a": 1}).id
    assert sessions.update_settings(session, {"b": float("nan")}).system_prompt == "Be brief."
    assert sessions.get(session).settings == {"b": None}
    assert sessions.update_settings(session, {}, system_prompt="").system_prompt == ""


def test_delete_is_undone_until_it_is_purged(sessions: SessionRepository, db: Database) -> None:
    kept, old, recent = (sessions.create(title=title).id for title in ("kept", "old", "recent"))
    sessions.delete(old)
    sessions.delete(recent)
    assert [session.title for session in sessions.list()] == ["kept"]
    assert [session.title for session in sessions.deleted()] == ["recent", "old"]
    sessions.undelete(recent)
    assert {session.id for session in sessions.list()} == {kept, recent}

    sessions.delete(recent)
    with db.transaction() as tx:
        tx.execute(
            update(SessionRow).where(SessionRow.id == old).values(deleted_at=utc_now() - timedelta(days=30, seconds=1))
        )
    assert sessions.purge_deleted(older_than_days=30) == 1
    assert [session.id for session in sessions.deleted()] == [recent]
    with pytest.raises(NotFound):
        sessions.undelete(old)


def test_a_run_leads_to_its_session_unless_that_was_deleted(
    sessions: SessionRepository, db: Database, new_run: NewRun
) -> None:
    runs = RunRepository(db)
    here, gone, none = (runs.start(new_run) for _ in range(3))
    kept, deleted = sessions.create(title="Kept"), sessions.create()
    sessions.add_message(kept.id, None, "assistant", "Hi", run_id=here)
    sessions.add_message(deleted.id, None, "assistant", "Hi", run_id=gone)
    sessions.delete(deleted.id)
    found = sessions.of_runs([here, gone, none])
    assert {run: session.title for run, session in found.items()} == {here: "Kept"}


def test_purging_takes_the_words_of_a_run_and_leaves_its_figures(
    sessions: SessionRepository, db: Database, new_run: NewRun
) -> None:
    runs = RunRepository(db)
    own, shared = runs.start(new_run), runs.start(new_run)
    for run in (own, shared):
        runs.append(run, [{"token_text": "secret"}], "secret")
        runs.finish(run, status="done", finish_reason="stop", tokens_per_s=80.5)
    going, staying = sessions.create().id, sessions.create().id
    for session, run in [(going, own), (going, shared), (staying, shared)]:
        sessions.add_message(session, None, "assistant", "secret", run_id=run)
    sessions.delete(going)
    assert sessions.purge_deleted(0) == 1
    assert (runs.get(own).text, runs.get(own).prompt, runs.tokens(own)) == ("", {}, [])
    assert (runs.get(own).tokens_per_s, runs.get(own).completion_tokens) == (80.5, 1)
    assert runs.get(shared).text == "secret"
    assert len(sessions.messages(staying)) == 1


def test_a_thread_of_1500_turns_is_read_and_purged(sessions: SessionRepository, db: Database) -> None:
    session = sessions.create().id
    ids = [new_id() for _ in range(1500)]
    rows = [
        {"id": ids[i], "session_id": session, "parent_id": ids[i - 1] if i else None, "role": "user",
         "content": str(i), "ordinal": i}
        for i in range(1500)
    ]  # fmt: skip
    with db.transaction() as tx:
        for row in rows:
            tx.execute(insert(MessageRow).values(row))
    assert [message.content for message in sessions.path(session, ids[-1])] == [str(i) for i in range(1500)]
    assert sessions.deepest_leaf(ids[0]).id == ids[-1]
    sessions.delete(session)
    assert sessions.purge_deleted(0) == 1


def test_what_a_model_writes_is_storable(sessions: SessionRepository) -> None:
    message = sessions.add_message(sessions.create().id, None, "assistant", "a\0b\ud83dc 🚀 مرحبا\r\n")
    assert message.content == "a\ufffdb\ufffdc 🚀 مرحبا\r\n"
    sessions.set_content(message.id, "\0longer")
    assert sessions.message(message.id).content == "\ufffdlonger"


def test_threads_that_write_to_one_session_lose_nothing(sessions: SessionRepository) -> None:
    session = sessions.create().id
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: sessions.add_message(session, None, "user", str(i)), range(40)))
    messages = sessions.messages(session)
    assert [message.ordinal for message in messages] == list(range(40))
    assert sessions.get(session).leaf_id == messages[-1].id
