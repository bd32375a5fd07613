"""The workbook of API or own: both costs of a month, replica by replica, from where own hosting pays, and a curve.

The speeds of a replica are inputs here, with their ranges; the serving estimate's workbook says where they come from.
"""

from __future__ import annotations

from core.estimate.breakeven_estimate import BreakevenAnswer
from core.estimate.breakeven_question import FACTORS, Question, source_of
from core.estimate.ownership import HOURS_PER_MONTH
from core.estimate.report import Report
from exports.formulas import Formula
from exports.xlsx_book import Book, Cases, Curve, Joint, Row, Section
from exports.xlsx_rows import given, step

NEVER = "1E+99"
_SLACK = 1e-9  # a replica that is full to so small a share over is not doubled (`core.estimate.crossing`)


def breakeven_book(report: Report, answer: BreakevenAnswer) -> Book:
    """report: whose figures are wanted; a break-even that may never come has none."""
    asked = answer.breakeven.question
    figures = {
        "api_usd_per_month": "api_usd",
        "own_usd_per_month": "own_usd",
        "replicas": "own_replicas",
        "api_usd_per_million_tokens": "api_per_million",
        "own_usd_per_million_tokens": "own_per_million",
        "commitment_usd": "bound_usd",
    }
    pays = _joint()
    cases = Cases(
        factors=tuple(asked.factors),
        steps=(_month(asked), _pays()),
        figures={key: name for key, name in figures.items() if report.get(key)},
        joint=pays if report.get(pays.key) else None,
    )
    return Book(
        inputs=(_decided(asked), _uncertain(asked)),
        cases=cases,
        curve=_curve(answer),
        notes=(
            f"{NEVER} tokens a month stand for never.",
            "The saving of a month is the API's cost less one's own; both are on Results and on Curve.",
        ),
    )


def _decided(asked: Question) -> Section:
    own, fleet = asked.own, asked.own.fleet
    all_reserved = fleet.reserved_replicas is None
    rows = (
        ("gpus_per_replica", "GPUs in a replica", fleet.gpus_per_replica),
        ("minimum_replicas", "Replicas at least; 0: paid only while used", fleet.minimum_replicas),
        ("reserved_replicas", "Replicas reserved", fleet.reserved_replicas or 0),
        ("all_reserved", "1: as many as are needed are reserved", float(all_reserved)),
        ("months_committed", "Months committed", own.months_committed),
        ("hours_per_month", "Hours in a month", HOURS_PER_MONTH),
    )
    return Section("Decided", tuple(Row(name=name, label=label, expected=value) for name, label, value in rows))


def _uncertain(asked: Question) -> Section:
    rows = []
    for key, value in asked.factors.items():
        label, unit = FACTORS[key]
        rows.append(given(key, label[0].upper() + label[1:], value, unit, source_of(asked, key)))
    return Section("Uncertain", tuple(rows))


def _month(asked: Question) -> Section:
    cached = "api_cached" if "api_cached" in asked.factors else "api_input"
    read = "(1-output_share)*(1-cached_share*own_cache_ratio)"
    api = f"(1-output_share)*((1-cached_share)*api_input+cached_share*{cached})+output_share*api_output+api_fee"
    bound = "IF(reserved_replicas>0,reserved_replicas,ROUNDUP(own_replicas,0))*reserved_usd*months_committed"
    return Section(
        "A month",
        (
            step("api_per_million", "API, a million tokens as mixed", api, "USD"),
            step("api_usd", "API, a month", "api_per_million*monthly_tokens/10^6", "USD"),
            step("seconds_per_token", "Of a replica, a token as mixed", f"{read}/prefill_tokens_per_s+{_WRITE}", "s"),
            step("capacity", "Tokens that demand can fill in a replica", _CAPACITY, "tokens"),
            step("rented_usd", "A replica", "usd_per_gpu_hour*gpus_per_replica*hours_per_month", "USD"),
            step("reserved_usd", "A reserved replica", "rented_usd*(1-discount)", "USD"),
            step("replica_usd", "One replica more", "IF(all_reserved=1,reserved_usd,rented_usd)", "USD"),
            step("fixed_usd", "People and the rest", "people_usd+other_usd", "USD"),
            step("own_replicas", "Replicas", _replicas("monthly_tokens")),
            step("own_usd", "Own hosting, a month", _own("own_replicas"), "USD"),
            step("own_per_million", "Own GPUs, a million tokens on full replicas", "10^6*replica_usd/capacity", "USD"),
            step("bound_usd", "Bound by the reservation", bound, "USD"),
        ),
    )


_WRITE = "IF(output_share>0,output_share/output_tokens_per_s,0)"
_CAPACITY = "utilisation*hours_per_month*3600/seconds_per_token"


def _replicas(tokens: str) -> str:
    """Whole ones, save when they are paid by use."""
    whole = f"MAX(minimum_replicas,ROUNDUP({tokens}/capacity*(1-{_SLACK:.9f}),0))"
    return f"MAX(reserved_replicas,IF(minimum_replicas>0,{whole},{tokens}/capacity))"


def _own(replicas: str) -> str:
    return f"fixed_usd+reserved_replicas*reserved_usd+MAX(0,{replicas}-reserved_replicas)*replica_usd"


def _pays() -> Section:
    """From which volume own hosting stays cheaper, as `crossing.Costs.stays_cheaper_from` has it."""
    by_use = "IF(flat_tokens<=reserved_replicas*capacity,flat_tokens,base_usd/(api_per_token-replica_usd/capacity))"
    first = f"ROUNDUP((base_usd+full_usd)/(full_usd-replica_usd)-{_SLACK:.9f},0)"
    by_replica = f"(base_usd+replica_usd*MAX(minimum_replicas,reserved_replicas,{first}-1))/api_per_token"
    pays = f"IF(full_usd<=replica_usd,{NEVER},IF(minimum_replicas=0,{by_use},{by_replica}))"
    return Section(
        "From where own hosting pays",
        (
            step("api_per_token", "API, a token", "api_per_million/10^6", "USD"),
            step("full_usd", "The API's price of what fills a replica", "api_per_token*capacity", "USD"),
            step("base_usd", "Paid beside the replicas", _BASE, "USD"),
            step("flat_tokens", "Worth the floor, paid by use", _FLAT, "tokens"),
            step("pays_from", "Own hosting pays from", pays, "tokens"),
        ),
    )


_BASE = "fixed_usd+reserved_replicas*(reserved_usd-replica_usd)"
_FLAT = "(fixed_usd+reserved_replicas*reserved_usd)/api_per_token"


def _joint() -> Joint:
    """The ends of a break-even: all factors moved together, for and against own hosting (`breakeven_volume`)."""
    needed = "MAX(minimum_replicas,reserved_replicas,burden_tokens/capacity)"
    return Joint(
        key="breakeven_tokens_per_month",
        step="pays_from",
        at="burden_tokens",
        at_formula=Formula(f"IF(AND(pays_from>0,pays_from<{NEVER}),pays_from,10^9*capacity)"),
        burden=Formula(f"LN(MAX({_own(needed)},1E-12)/(api_per_token*burden_tokens))"),
        left_out=("monthly_tokens",),
    )


def _curve(answer: BreakevenAnswer) -> Curve:
    volumes = tuple(point.monthly_tokens for point in answer.breakeven.curve)
    return Curve(
        title="What a month costs",
        variable="volume",
        label="Tokens a month",
        unit="tokens",
        points=volumes,
        columns=(
            ("API, USD a month", Formula("api_per_token*volume")),
            ("Own hosting, USD a month", Formula(_own(_replicas("volume")))),
        ),
    )
