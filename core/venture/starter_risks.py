"""A register to begin with: one question or more for each topic, none of them answered, none of them legal advice.

Grades start in the middle, because only the company can know them. Laws are named so that they can be looked up; when
their parts apply has been moved before, so no dates are given.
"""

from __future__ import annotations

from core.venture.risks import RiskSpec

_STARTERS = (
    RiskSpec(
        topic="privacy",
        title="On what ground do we use the personal data in our training data and in what users type?",
        region="EU, UK",
        mitigation="Scan the data of each fine-tune, mask or drop what is found; name the legal basis (GDPR, article "
        "6) and whether an impact assessment is due (article 35); say for how long prompts are kept.",
    ),
    RiskSpec(
        topic="security",
        title="What can a hostile prompt or document make the product say, do or give away?",
        mitigation="List what the model can reach; keep secrets and other customers' data out of its context; test "
        "prompt injection before each release (OWASP Top 10 for LLM applications).",
    ),
    RiskSpec(
        topic="licences",
        title="Does the licence of each base model and data set allow what we sell, and what does it ask in return?",
        mitigation="Tie the licence of each model in use. Read it for limits of use, names that must be shown and "
        "notices to keep: community licences and terms of use ask more than Apache-2.0 or MIT.",
    ),
    RiskSpec(
        topic="fairness",
        title="Does the model serve some groups of people worse than others?",
        mitigation="Name a column of subgroups when fine-tuning, and tie the gaps that the report finds. Where people "
        "are hired, lent to, insured or housed by it, an audit may be owed.",
    ),
    RiskSpec(
        topic="transparency",
        title="Do people know that they deal with a machine, and can we say why it answered so?",
        region="EU",
        mitigation="Say it where they meet it, and mark what is generated (EU AI Act, article 50); look into typical "
        "answers on the Attention page and tie them.",
    ),
    RiskSpec(
        topic="law",
        title="Which class of the EU AI Act is the product in, and are we its provider or its deployer?",
        region="EU",
        mitigation="Go through article 5 (forbidden), annex III (high risk) and article 50 with somebody who knows "
        "them; ask whether a large fine-tune makes us the provider of a general-purpose model.",
    ),
    RiskSpec(
        topic="law",
        title="Which state laws on automated decisions and on privacy reach our customers in the US?",
        region="US",
        mitigation="Go by where the customers' users live: among others Colorado (SB 24-205), California (CCPA and its"
        " rules on automated decisions), Illinois (HB 3773), Texas (HB 149), New York City (Local Law 144).",
    ),
    RiskSpec(
        topic="supplier",
        title="What happens when our only supplier of GPUs or of an API has none, raises prices or ends a model?",
        mitigation="Price a second supplier and an open model on Cost & compute; keep weights and exports where we can"
        " move them; know how long moving takes.",
    ),
    RiskSpec(
        topic="talent",
        title="Who could not be replaced within three months, and what stops without them?",
        mitigation="Look at the gaps of the skills matrix; have two people know each system; write down how it is run.",
    ),
)


def starter_risks() -> tuple[RiskSpec, ...]:
    return _STARTERS
