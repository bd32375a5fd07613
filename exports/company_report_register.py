"""Sections of a company's report from its registers: deals of comparable companies, and risks and duties."""

from __future__ import annotations

from core.venture.market_trends import MEASURES, Standing, by_stage, own_or_example, standing
from core.venture.money import short
from core.venture.overview import open_risks
from exports import company_pictures as pictures
from exports.company_report_parts import Block, Picture, Section, Text, grid
from exports.company_report_source import Source

MOST_RISKS = 40
MOST_DEALS = 12


def market(of: Source) -> Section:
    title = "Market"
    if not of.spec.market:
        return Section("market", title, missing="No deals of comparable companies are given.")
    deals, examples = own_or_example(of.spec.market)
    money = of.currency
    blocks: list[Block] = [Text("Example deals: invented companies and figures.", strong=True)] if examples else []
    for measure, name in MEASURES.items():
        rows = [
            (
                one.name,
                str(one.spread.count),
                *(short(value, money) for value in (one.spread.low, one.spread.median, one.spread.high)),
            )
            for one in by_stage(deals, measure)
            if one.spread
        ]
        blocks += grid(f"{name} by stage", ("Stage", "Deals", "Lower quarter", "Middle", "Upper quarter"), rows)
    own = [
        (planned.name, MEASURES[measure], *_standing(standing(planned, deals, measure), money))
        for planned in of.spec.fundraising.planned
        for measure in MEASURES
    ]
    blocks += grid("Where the planned rounds stand", ("Round", "Figure", "Planned", "Among its stage"), own, (1, 3))
    sources = sorted({one.source for one in deals if one.source})[:MOST_DEALS]
    if sources:
        blocks.append(Text(f"Deals are from: {'; '.join(sources)}."))
    return Section("market", title, tuple(blocks))


def risks(of: Source) -> Section:
    title = "Risks and duties"
    if not of.spec.risks:
        return Section("risks", title, missing="No risk is written down.")
    still = open_risks(of.spec)
    counts = [[0] * 5 for _ in range(5)]
    for one in still:
        counts[one.impact - 1][one.likelihood - 1] += 1
    heavy = sum(one.weight >= 15 for one in still)
    words = f"{len(still)} open risks by likelihood and impact, {heavy} of them of weight 15 or more"
    rows = [
        (
            one.title,
            one.topic,
            str(one.weight),
            one.owner or "nobody",
            one.mitigation,
            "" if one.due is None else one.due.isoformat(),
            str(len(one.evidence)),
        )
        for one in still[:MOST_RISKS]
    ]
    closed = len(of.spec.risks) - len(still)
    picture = Picture(
        "Open risks", pictures.matrix(words, counts, "likelihood", "impact"), words, note="1 is low, 5 is high."
    )
    blocks: list[Block] = [
        Text(f"{len(still)} open, {closed} accepted or closed."),
        picture,
        *grid(
            "Open, the heaviest first; weight is likelihood × impact, 25 at most",
            ("Risk or duty", "Topic", "Weight", "Owner", "What is done", "Due", "Evidence"),
            rows,
            words=(1, 3, 4, 5),
        ),
    ]
    return Section("risks", title, tuple(blocks))


def _standing(found: Standing, currency: str) -> tuple[str, str]:
    among = "no deal to compare"
    if found.rank is not None and found.spread is not None:
        among = f"above {found.rank:.0%} of {found.spread.count}"
    return short(found.value, currency), among
