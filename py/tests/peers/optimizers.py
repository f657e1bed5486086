"""Writes the reference portfolios that the tests compare with. Run by ``./dev peers``; takes a few minutes.

Each case is returns from a seed, so the file holds weights only. cvxpy states the problems as they are defined, solved to
1e-12; skfolio, Riskfolio-Lib and PyPortfolioOpt say that the definitions are theirs, too.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import cvxpy as cp
import numpy as np
import pandas as pd

PACKAGES = ["cvxpy", "clarabel", "skfolio", "riskfolio-lib", "pyportfolioopt", "numpy", "scikit-learn"]

# Left to themselves the packages stop up to 0.6 % above the optimum.
TIGHT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}


def returns_of(seed: int, rows: int, assets: int) -> np.ndarray:
    """The same as in test_optimize.py."""
    random = np.random.default_rng(seed)
    market = random.normal(0.002, 0.01, (rows, 1))
    beta = random.uniform(0.5, 1.5, assets)
    return market * beta + random.normal(0.0002, 1, (rows, assets)) * random.uniform(0.005, 0.02, assets)


def tight(problem: cp.Problem) -> float:
    # As tight as the solver gets: the last one that it calls optimal.
    for tolerance in (1e-12, 1e-11, 1e-10, 1e-9):
        settings = {"tol_gap_abs": tolerance, "tol_gap_rel": tolerance, "tol_feas": tolerance}
        problem.solve(solver=cp.CLARABEL, **settings)
        if problem.status == cp.OPTIMAL:
            return float(problem.value)
    raise SystemExit(f"the solver says {problem.status}")


def by_definition(returns: np.ndarray, upper: float) -> dict[str, dict]:
    rows, n = returns.shape
    mean, cov = returns.mean(axis=0), np.cov(returns.T)
    scale = np.mean(np.diag(cov))
    unit = cov / scale
    found: dict[str, dict] = {}
    w = cp.Variable(n)
    limits = [cp.sum(w) == 1, w >= 0, w <= upper]

    def keep(name: str, objective: float, weights: np.ndarray) -> None:
        found[name] = {"objective": objective, "weights": [round(float(x), 9) for x in weights]}

    value = tight(cp.Problem(cp.Minimize(cp.quad_form(w, cp.psd_wrap(unit))), limits))
    keep("min_variance", value * scale, w.value)
    value = tight(cp.Problem(cp.Minimize(2.5 * cp.quad_form(w, cp.psd_wrap(unit)) - mean / scale @ w), limits))
    keep("mean_variance_5", value * scale, w.value)
    y, k = cp.Variable(n), cp.Variable()
    for name, reward in (("max_sharpe", mean), ("max_diversification", np.sqrt(np.diag(cov)))):
        size = np.abs(reward).max()
        rows_of = [reward / size @ y == 1, cp.sum(y) == k, y >= 0, y <= upper * k, k >= 0]
        tight(cp.Problem(cp.Minimize(cp.quad_form(y, cp.psd_wrap(unit))), rows_of))
        weights = y.value / k.value
        keep(name, float(reward @ weights / np.sqrt(weights @ cov @ weights)), weights)
    v, u = cp.Variable(), cp.Variable(rows)
    scaled = returns * 100
    tail = [u >= 0, u >= -scaled @ w - v]
    value = tight(cp.Problem(cp.Minimize(v + cp.sum(u) / (0.05 * rows)), limits + tail))
    keep("min_cvar", value / 100, w.value)
    peak = cp.Variable(rows + 1)
    wealth = np.cumsum(scaled, axis=0)
    chain = [peak[0] == 0, peak[1:] >= peak[:-1], peak[1:] >= wealth @ w, u >= 0, u >= peak[1:] - wealth @ w - v]
    value = tight(cp.Problem(cp.Minimize(v + cp.sum(u) / (0.05 * rows)), limits + chain))
    keep("min_cdar", value / 100, w.value)
    x = cp.Variable(n)
    tight(cp.Problem(cp.Minimize(0.5 * cp.quad_form(x, cp.psd_wrap(unit)) - cp.sum(cp.log(x)) / n)))
    weights = x.value / x.value.sum()
    keep("risk_parity", float(np.sqrt(weights @ cov @ weights)), weights)
    # Short positions, a group, and a limit on sizes, for every problem.
    short = [cp.sum(w) == 1, w >= -0.3, w <= 0.6, cp.norm1(w) <= 1.5, cp.sum(w[:3]) <= 0.2, cp.sum(w[:3]) >= 0.1]
    value = tight(cp.Problem(cp.Minimize(cp.quad_form(w, cp.psd_wrap(unit))), short))
    keep("min_variance_short", value * scale, w.value)
    value = tight(cp.Problem(cp.Minimize(2.5 * cp.quad_form(w, cp.psd_wrap(unit)) - mean / scale @ w), short))
    keep("mean_variance_5_short", value * scale, w.value)
    value = tight(cp.Problem(cp.Minimize(v + cp.sum(u) / (0.05 * rows)), short + tail))
    keep("min_cvar_short", value / 100, w.value)
    value = tight(cp.Problem(cp.Minimize(v + cp.sum(u) / (0.05 * rows)), short + chain))
    keep("min_cdar_short", value / 100, w.value)
    group = [cp.sum(y[:3]) <= 0.2 * k, cp.sum(y[:3]) >= 0.1 * k]
    for name, reward in (("max_sharpe", mean), ("max_diversification", np.sqrt(np.diag(cov)))):
        size = np.abs(reward).max()
        rows_of = [reward / size @ y == 1, cp.sum(y) == k, y >= -0.3 * k, y <= 0.6 * k, cp.norm1(y) <= 1.5 * k, k >= 0]
        tight(cp.Problem(cp.Minimize(cp.quad_form(y, cp.psd_wrap(unit))), rows_of + group))
        weights = y.value / k.value
        keep(f"{name}_short", float(reward @ weights / np.sqrt(weights @ cov @ weights)), weights)
    cost = 0.0005 * cp.norm1(w - 1 / n) / scale
    limited = [cp.sum(w) == 1, w >= 0]
    value = tight(cp.Problem(cp.Minimize(cp.quad_form(w, cp.psd_wrap(unit)) + cost * 0.01), limited))
    keep("min_variance_turnover", value * scale, w.value)
    moved = 100 * 0.0002 * cp.norm1(w - 1 / n)
    value = tight(cp.Problem(cp.Minimize(v + cp.sum(u) / (0.05 * rows) + moved), limited + tail))
    keep("min_cvar_turnover", value / 100, w.value)
    return found


def by_packages(returns: np.ndarray) -> dict[str, dict]:
    frame = pd.DataFrame(returns, columns=[f"a{k}" for k in range(returns.shape[1])])
    frame.index = pd.date_range("2020-01-01", periods=len(frame))
    found: dict[str, dict] = {}

    def keep(name: str, weights) -> None:
        found[name] = {"weights": [round(float(x), 9) for x in weights]}

    from skfolio import RiskMeasure
    from skfolio.optimization import MeanRisk, ObjectiveFunction, RiskBudgeting

    def skfolio(model, **options):
        return model(**options, solver="CLARABEL", solver_params=TIGHT).fit(frame).weights_

    keep("skfolio min_variance", skfolio(MeanRisk, risk_measure=RiskMeasure.VARIANCE))
    ratio = ObjectiveFunction.MAXIMIZE_RATIO
    keep("skfolio max_sharpe", skfolio(MeanRisk, objective_function=ratio, risk_measure=RiskMeasure.VARIANCE))
    keep("skfolio min_cvar", skfolio(MeanRisk, risk_measure=RiskMeasure.CVAR))
    keep("skfolio min_cdar", skfolio(MeanRisk, risk_measure=RiskMeasure.CDAR))
    keep("skfolio risk_parity", skfolio(RiskBudgeting, risk_measure=RiskMeasure.VARIANCE))

    from pypfopt import EfficientFrontier, HRPOpt

    # Variances of the size of one, because the solver's tolerance of the gap is absolute, too.
    frontier = EfficientFrontier(frame.mean(), frame.cov() * 1e4, solver="CLARABEL", solver_options=TIGHT)
    frontier.min_volatility()
    keep("pypfopt min_variance", frontier.weights)
    hierarchy = HRPOpt(frame)
    weights = hierarchy.optimize(linkage_method="single")
    keep("pypfopt hierarchical_risk_parity", [weights[name] for name in frame])

    import riskfolio as rp

    portfolio = rp.Portfolio(returns=frame)
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    portfolio.solvers, portfolio.sol_params = ["CLARABEL"], {"CLARABEL": TIGHT}
    for name, measure in (("min_variance", "MV"), ("min_cvar", "CVaR"), ("min_cdar", "CDaR")):
        weights = portfolio.optimization(model="Classic", rm=measure, obj="MinRisk", rf=0, l=0, hist=True)
        keep(f"riskfolio {name}", weights["weights"])
    weights = portfolio.rp_optimization(model="Classic", rm="MV", rf=0, hist=True)
    keep("riskfolio risk_parity", weights["weights"])

    from sklearn.covariance import LedoitWolf

    shrunk = LedoitWolf().fit(returns)
    found["sklearn ledoit_wolf"] = {"shrinkage": float(shrunk.shrinkage_), "first": shrunk.covariance_[0].tolist()}
    return found


def main() -> None:
    cases = []
    for seed, rows, assets, upper in [(1, 300, 8, 1.0), (2, 500, 20, 0.2), (3, 250, 40, 1.0)]:
        returns = returns_of(seed, rows, assets)
        case = {"seed": seed, "rows": rows, "assets": assets, "upper": upper}
        cases.append(case | {"defined": by_definition(returns, upper), "packages": by_packages(returns)})
    versions = {name: version(name) for name in PACKAGES}
    target = Path(__file__).with_name("optimizers.json")
    target.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
