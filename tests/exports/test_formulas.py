from __future__ import annotations

import pytest

from exports.formulas import Formula, evaluate, is_name


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("1+2*3^2/6", 4.0),
        ('IF(kind="full",2,1/0)', 2.0),
        ('IF(kind<>"full",1/0,3)', 3.0),
        ("IF(AND(a>1,a<=2),MAX(a,5),0)", 5.0),
        ("IF(OR(a=1,a>=2),1,0)", 1.0),
        ("ROUNDUP(a/3,0)+INT(0-1.5)", 1 - 2),
        ("LOG(8,2)+LN(EXP(2))+SQRT(16)", 9.0),
        ("10^9*-1", -1e9),
    ],
)
def test_formulas_are_worked_out_as_a_spreadsheet_does(formula: str, value: float) -> None:
    assert evaluate(Formula(formula), {"a": 2.0, "kind": "full"}) == pytest.approx(value)


@pytest.mark.parametrize("formula", ["__import__('os')", "a.b", "[1]", "EXEC(1)", "a if a else b", '"x"+1', "1<a<3"])
def test_nothing_else_is_worked_out(formula: str) -> None:
    with pytest.raises(ValueError, match=r"no part|no function|is text"):
        evaluate(Formula(formula), {"a": 1.0, "b": 1.0})


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        evaluate(Formula("a+nothing"), {"a": 1.0})


def test_only_names_of_cells_are_replaced() -> None:
    formula = Formula('IF(recompute="a",a*MAX(a_low,1),MAX_a)')
    assert formula.with_cells({"a": "D5", "MAX": "X1"}).text == 'IF(recompute="a",D5*MAX(a_low,1),MAX_a)'


@pytest.mark.parametrize(
    ("name", "good"),
    [("tokens", True), ("usd_per_h", True), ("fp8", False), ("R", False), ("R1C1", False), ("a b", False)],
)
def test_names_that_are_cells_are_refused(name: str, good: bool) -> None:
    assert is_name(name) is good
