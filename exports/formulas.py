"""Spreadsheet formulas that we write ourselves, worked out once so that their value can stand beside them in the file.

Viewers that do not calculate then show numbers, and a test holds every formula against the engine without a
spreadsheet. Names, numbers, text, + - * / ^, comparisons and FUNCTIONS; nothing else is evaluated.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Value = float | str


@dataclass(frozen=True, slots=True)
class Formula:
    """Without the equals sign. Text of any other origin is never one: this type is what keeps them apart."""

    text: str

    def with_cells(self, cells: Mapping[str, str]) -> Formula:
        """With names that stand for cells replaced by them; other names, and text, are left."""
        return Formula(_NAME.sub(lambda found: cells.get(found[0], found[0]), self.text))


def _round_up(value: float, digits: float) -> float:
    """Away from zero, as spreadsheets have it; for whole numbers only."""
    assert not digits
    return float(math.ceil(value) if value > 0 else math.floor(value))


FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "MIN": min,
    "MAX": max,
    "INT": lambda value: float(math.floor(value)),
    "ROUNDUP": _round_up,
    "SQRT": math.sqrt,
    "LN": math.log,
    "EXP": math.exp,
    "LOG": math.log,
    "SUM": lambda *values: math.fsum(values),
    "AND": lambda *values: float(all(values)),
    "OR": lambda *values: float(any(values)),
}
_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Eq: lambda a, b: float(a == b),
    ast.NotEq: lambda a, b: float(a != b),
    ast.Lt: lambda a, b: float(a < b),
    ast.LtE: lambda a, b: float(a <= b),
    ast.Gt: lambda a, b: float(a > b),
    ast.GtE: lambda a, b: float(a >= b),
}
_NAME = re.compile(r'"[^"]*"|[A-Za-z_][A-Za-z_0-9]*(?!\w*\s*\()')
_CELL_LIKE = re.compile(r"[A-Za-z]{1,3}\d+|[RrCc]|[Rr]\d*[Cc]\d*")


def evaluate(formula: Formula, names: Mapping[str, Value]) -> Value:
    """Raises KeyError for a name that is not there, ValueError for what is no such formula."""
    python = formula.text.replace("^", "**").replace("<>", "!=")
    python = re.sub(r"(?<![<>!=])=(?!=)", "==", python)
    return _value(ast.parse(python.strip(), mode="eval").body, names)


def is_name(text: str) -> bool:
    """Whether a spreadsheet takes it for a name, and not for a cell such as FP8 or for a row such as R."""
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", text)) and not _CELL_LIKE.fullmatch(text)


def _value(node: ast.AST, names: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, names)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_number(node.left, names), _number(node.right, names))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = _value(node.left, names), _value(node.comparators[0], names)
        return _OPERATORS[type(node.ops[0])](left, right)  # type: ignore[arg-type]  # text is compared too
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _called(node.func.id, node.args, names)
    raise ValueError(f"{ast.unparse(node)} is no part of a formula.")


def _called(function: str, arguments: list[ast.expr], names: Mapping[str, Value]) -> Value:
    if function == "IF":  # only the branch that is taken, as in a spreadsheet
        return _value(arguments[1] if _value(arguments[0], names) else arguments[2], names)
    if function not in FUNCTIONS:
        raise ValueError(f"{function} is no function of these formulas.")
    return FUNCTIONS[function](*(_number(one, names) for one in arguments))


def _number(node: ast.AST, names: Mapping[str, Value]) -> float:
    found = _value(node, names)
    if isinstance(found, str):
        raise ValueError(f"{ast.unparse(node)} is text, not a number.")
    return found
