"""The metrics that PromQL expressions read, and the labels that they match and group by."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import promql_parser as promql


@dataclass(frozen=True)
class Read:
    """A selector of an expression, and the labels by which the expression groups it.

    Args:
        metric: as written, so with the suffix of a histogram's series.
        matched: label → the values that it is compared with; those of ``=~`` one by one.
        grouped: labels of ``by``, ``without``, ``on``, ``ignoring`` and ``group_left`` above it.
        made: labels that ``label_replace`` and ``label_join`` around it make.
    """

    metric: str
    matched: Mapping[str, tuple[str, ...]]
    grouped: frozenset[str]
    made: frozenset[str]


def reads(expression: str) -> list[Read]:
    """Return what an expression reads; a syntax error is a ValueError."""
    tree = promql.parse(expression)
    made = frozenset(_made_labels(tree))
    return list(_reads(tree, frozenset(), made))


def labels_of_result(expression: str) -> frozenset[str]:
    """Return the labels that any grouping of an expression names, and those that it makes."""
    tree = promql.parse(expression)
    grouped = {label for node in _nodes(tree) for label in _grouping(node)}
    return frozenset(grouped | set(_made_labels(tree)))


def _nodes(tree: promql.Expr) -> list[promql.Expr]:
    nodes: list[promql.Expr] = []
    promql.walk(tree, nodes.append)
    return nodes


def _made_labels(tree: promql.Expr) -> Iterator[str]:
    for node in _nodes(tree):
        if isinstance(node, promql.Call) and node.func.name in {"label_replace", "label_join"}:
            destination: Any = node.args[1]
            yield destination.val


def _grouping(node: promql.Expr) -> list[str]:
    if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
        return node.modifier.labels
    if isinstance(node, promql.BinaryExpr) and node.modifier is not None:
        matching = node.modifier.matching
        return [*(matching.labels if matching else ()), *(node.modifier.group_labels or ())]
    return []


def _children(node: promql.Expr) -> Iterable[promql.Expr]:
    match node:
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.Call():
            return node.args
        case promql.MatrixSelector():
            return [node.vector_selector]
        case (
            promql.AggregateExpr() | promql.ParenExpr() | promql.SubqueryExpr() | promql.UnaryExpr()
        ):
            return [node.expr]
        case _:
            return []


def _reads(node: promql.Expr, grouped: frozenset[str], made: frozenset[str]) -> Iterator[Read]:
    if isinstance(node, promql.VectorSelector):
        if node.name is None:
            raise ValueError(f"{node}: name the metric before the braces")
        yield Read(node.name, _matched(node), grouped, made)
    below = grouped | frozenset(_grouping(node))
    for child in _children(node):
        yield from _reads(child, below, made)


def _matched(selector: promql.VectorSelector) -> dict[str, tuple[str, ...]]:
    matched: dict[str, tuple[str, ...]] = {}
    groups = [selector.matchers.matchers, *selector.matchers.or_matchers]
    for matcher in (matcher for group in groups for matcher in group):
        is_regex = matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
        values = alternatives(matcher.value) if is_regex else (re.escape(matcher.value),)
        matched[matcher.name] = (*matched.get(matcher.name, ()), *values)
    return matched


def alternatives(pattern: str) -> tuple[str, ...]:
    """Return the alternatives of a regular expression, with `(a|b)` at most once in each."""
    bracketed = re.fullmatch(r"([^()|]*)\(([^()]*)\)([^()|]*)", pattern)
    if bracketed is None:
        return tuple(pattern.split("|"))
    before, inside, after = bracketed.groups()
    return tuple(f"{before}{choice}{after}" for choice in inside.split("|"))
