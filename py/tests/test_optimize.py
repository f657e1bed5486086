"""Portfolios against cvxpy, skfolio, Riskfolio-Lib and PyPortfolioOpt, whose values are in peers/optimizers.json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import nanobook as nb

REFERENCE = json.loads((Path(__file__).parent / "peers" / "optimizers.json").read_text())
CASES = {f"{case['assets']} assets": case for case in REFERENCE["cases"]}


def returns_of(seed: int, rows: int, assets: int) -> np.ndarray:
    """The same as in peers/optimizers.py."""
    random = np.random.default_rng(seed)
    market = random.normal(0.002, 0.01, (rows, 1))
    beta = random.uniform(0.5, 1.5, assets)
    return market * beta + random.normal(0.0002, 1, (rows, assets)) * random.uniform(0.005, 0.02, assets)


def solve(name: str, returns: np.ndarray, upper: float) -> nb.optimize.Solution:
    limits = nb.optimize.Limits(upper=upper)
    n = returns.shape[1]
    if name.endswith("_short"):
        name = name.removesuffix("_short")
        group = nb.optimize.Group([0, 1, 2], 0.1, 0.2)
        limits = nb.optimize.Limits(lower=-0.3, upper=0.6, groups=[group], leverage=1.5)
    match name:
        case "mean_variance_5":
            return nb.optimize.mean_variance(returns, risk_aversion=5.0, limits=limits)
        case "risk_parity":
            return nb.optimize.risk_parity(returns)
        case "min_variance_turnover":
            held = nb.optimize.Limits(current=[1 / n] * n, turnover_penalty=0.000005)
            return nb.optimize.min_variance(returns, limits=held)
        case "min_cvar_turnover":
            held = nb.optimize.Limits(current=[1 / n] * n, turnover_penalty=0.0002)
            return nb.optimize.min_cvar(returns, limits=held)
        case _:
            return getattr(nb.optimize, name)(returns, limits=limits)


@pytest.mark.parametrize("case", CASES)
def test_equals_the_definitions_solved_by_cvxpy(case: str) -> None:
    reference = CASES[case]
    returns = returns_of(reference["seed"], reference["rows"], reference["assets"])
    for name, wanted in reference["defined"].items():
        found = solve(name, returns, reference["upper"])
        assert found.objective == pytest.approx(wanted["objective"], rel=1e-6), name
        assert found.converged, name
        weights = np.asarray(found.weights)
        # The optimum of a linear program need not be unique; its objective is.
        np.testing.assert_allclose(weights, wanted["weights"], atol=1e-4, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_no_package_does_better(case: str) -> None:
    reference = CASES[case]
    returns = returns_of(reference["seed"], reference["rows"], reference["assets"])
    covariance = np.cov(returns.T)

    def tail(losses: np.ndarray) -> float:
        worst = np.sort(losses)[::-1]
        share = 0.05 * len(losses)
        whole = int(share)
        edge = worst[whole] * (share - whole) if share > whole else 0.0
        return float((worst[:whole].sum() + edge) / share)

    def drawdowns(series: np.ndarray) -> np.ndarray:
        wealth = np.concatenate([[0.0], np.cumsum(series)])
        return (np.maximum.accumulate(wealth) - wealth)[1:]

    measures = {
        "min_variance": lambda w: w @ covariance @ w,
        "max_sharpe": lambda w: -(returns.mean(axis=0) @ w) / (w @ covariance @ w) ** 0.5,
        "min_cvar": lambda w: tail(-returns @ w),
        "min_cdar": lambda w: tail(drawdowns(returns @ w)),
        "risk_parity": lambda w: np.ptp(w * (covariance @ w)),
    }
    compared = 0
    for title, theirs in reference["packages"].items():
        name = title.split()[1]
        if name not in measures:
            continue
        mine = np.asarray(solve(name, returns, 1.0).weights)
        other = np.array(theirs["weights"])
        other = other / other.sum()
        value, best = measures[name](mine), measures[name](other)
        assert value <= best + 1e-6 * abs(best), title
        np.testing.assert_allclose(mine, other, atol=1e-4, err_msg=title)
        compared += 1
    assert compared >= 9


@pytest.mark.parametrize("case", CASES)
def test_heuristics_and_estimators_equal_packages(case: str) -> None:
    reference = CASES[case]
    returns = returns_of(reference["seed"], reference["rows"], reference["assets"])
    wanted = reference["packages"]["pypfopt hierarchical_risk_parity"]["weights"]
    np.testing.assert_allclose(np.asarray(nb.optimize.hierarchical_risk_parity(returns)), wanted, atol=1e-8)
    shrunk = nb.optimize.covariance(returns, "ledoit_wolf")
    first = reference["packages"]["sklearn ledoit_wolf"]["first"]
    np.testing.assert_allclose([np.asarray(shrunk[name])[0] for name in shrunk.columns], first, rtol=1e-9)


def test_covariances_equal_numpy_and_pandas() -> None:
    pd = pytest.importorskip("pandas")
    returns = returns_of(9, 120, 5)

    def matrix(frame: nb.Frame) -> np.ndarray:
        return np.column_stack([np.asarray(frame[name]) for name in frame.columns])

    np.testing.assert_allclose(matrix(nb.optimize.covariance(returns)), np.cov(returns.T), rtol=1e-10)
    decayed = pd.DataFrame(returns).ewm(alpha=0.06).cov().iloc[-5:].to_numpy()
    np.testing.assert_allclose(matrix(nb.optimize.covariance(returns, "exponential", decay=0.94)), decayed, rtol=1e-9)


def test_names_and_frames() -> None:
    pl = pytest.importorskip("polars")
    returns = returns_of(4, 100, 3)
    frame = pl.DataFrame(returns, schema=["A", "B", "C"])
    found = nb.optimize.min_variance(frame)
    assert found.names == ["A", "B", "C"]
    np.testing.assert_allclose(np.asarray(found.weights), np.asarray(nb.optimize.min_variance(returns).weights), atol=1e-9)
    assert nb.optimize_min_variance(returns) == pytest.approx(np.asarray(found.weights), abs=1e-9)
    assert "converged=True" in repr(found)


def test_degenerate_input_is_said() -> None:
    returns = returns_of(5, 60, 4)
    holed = returns.copy()
    holed[11, 2] = np.nan
    for problem in (nb.optimize.min_variance, nb.optimize.min_cvar, nb.optimize.hierarchical_risk_parity):
        with pytest.raises(nb.InputError) as caught:
            problem(holed)
        assert caught.value.row == 11 and caught.value.column == "2"
    with pytest.raises(nb.InputError, match="no portfolio"):
        nb.optimize.max_sharpe(returns - 1.0)
    with pytest.raises(nb.InputError, match="constraints"):
        nb.optimize.min_variance(returns, limits=nb.optimize.Limits(upper=0.2))
    with pytest.raises(nb.InputError, match="either"):
        nb.optimize.min_variance()
    still = returns.copy()
    still[:, 1] = 0.001
    with pytest.raises(nb.InputError, match="constant"):
        nb.optimize.risk_parity(still)
    short = returns_of(6, 10, 30)
    assert nb.optimize.min_variance(short).objective >= 0
    twins = np.column_stack([returns[:, 0], returns[:, 0]])
    assert nb.optimize.min_variance(twins).objective == pytest.approx(returns[:, 0].var(ddof=1), rel=1e-6)


def degenerate(kind: str) -> np.ndarray:
    returns = returns_of(7, 60, 4)
    match kind:
        case "one asset":
            return returns[:, :1]
        case "two identical assets":
            return returns[:, [0, 0]]
        case "singular covariance":
            return np.column_stack([returns, returns.sum(axis=1)])
        case "more assets than rows":
            return returns_of(8, 10, 25)
        case "constant asset":
            returns[:, 1] = 0.001
        case "column of nan":
            returns[:, 2] = np.nan
        case "nan inside":
            returns[31, 2] = np.nan
        case "one row":
            return returns[:1]
    return returns


@pytest.mark.parametrize("kind", [
    "one asset", "two identical assets", "singular covariance", "more assets than rows", "constant asset",
    "column of nan", "nan inside", "one row",
])
@pytest.mark.parametrize("name", [
    "min_variance", "mean_variance", "max_sharpe", "max_diversification", "min_cvar", "min_cdar", "risk_parity",
    "inverse_volatility", "inverse_cvar", "inverse_cdar", "hierarchical_risk_parity",
])
def test_degenerate_input_has_an_answer_or_an_error(name: str, kind: str) -> None:
    returns = degenerate(kind)
    options = {"risk_aversion": 5.0} if name == "mean_variance" else {}
    # No ratio is best where every asset loses, or where one without risk earns.
    unanswerable = name == "max_sharpe" and (returns.mean(axis=0).max() <= 0 or kind == "constant asset")
    try:
        found = getattr(nb.optimize, name)(returns, **options)
    except nb.InputError as error:
        assert unanswerable or kind not in ("one asset", "two identical assets"), error
        if "nan" in kind:
            assert (error.row, error.column) == (0 if kind == "column of nan" else 31, "2")
        return
    assert not unanswerable and "nan" not in kind and kind != "one row"
    weights = np.asarray(getattr(found, "weights", found))
    assert weights.sum() == pytest.approx(1.0, abs=1e-9) and (weights >= 0).all()
    assert getattr(found, "converged", True)
