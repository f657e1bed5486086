"""Statistics against scipy, statsmodels, pandas and arch."""

from __future__ import annotations

import numpy as np
import pytest

import nanobook as nb


def test_correlations_equal_scipy() -> None:
    scipy = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(0)
    for rows in (3, 4, 10, 33, 34, 200, 2_000):
        for digits in (0, 1, 12):
            x = np.round(random.normal(size=rows), digits)
            y = np.round(0.3 * x + random.normal(size=rows), digits)
            if len(set(x)) == 1 or len(set(y)) == 1:
                continue
            pairs = [
                (nb.stats.pearson, scipy.pearsonr),
                (nb.stats.spearman, scipy.spearmanr),
                (nb.stats.kendall, scipy.kendalltau),
            ]
            for mine, reference in pairs:
                found, wanted = mine(x, y), reference(x, y)
                assert found.coefficient == pytest.approx(wanted[0], abs=1e-12), (mine, rows)
                if abs(wanted[0]) > 1 - 1e-12 and mine is not nb.stats.kendall:
                    # A perfect correlation is certain. scipy's coefficient may be short of one by a rounding error e, and
                    # its p-value is then that of e: with one degree of freedom 2 / pi * sqrt(2 e), 1e-8.
                    assert found.p_value == pytest.approx(0.0, abs=1e-300), (mine, rows, digits)
                    assert wanted[1] < 1e-7
                    continue
                assert found.p_value == pytest.approx(wanted[1], rel=1e-7, abs=1e-12), (mine, rows, digits)


def test_information_coefficients_equal_scipy_row_by_row() -> None:
    scipy = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(1)
    signal, forward = random.normal(size=(40, 15)), random.normal(size=(40, 15))
    signal[3, 4] = np.nan
    forward[5] = np.nan
    found = nb.stats.information_coefficients(signal, forward)
    ic, pairs = np.asarray(found["ic"]), np.asarray(found["pairs"])
    assert pairs[3] == 14 and pairs[5] == 0 and np.isnan(ic[5])
    for row in (0, 1, 2, 39):
        assert ic[row] == pytest.approx(scipy.spearmanr(signal[row], forward[row])[0], abs=1e-12)


def test_oracle_of_information_coefficients(shared) -> None:
    pl = pytest.importorskip("polars")
    returns = pl.read_csv(shared / "oracle" / "09_opt_returns.csv")
    wanted = pl.read_csv(shared / "oracle" / "11_spearman_ic.csv")
    prices = np.vstack([np.ones(returns.width - 1), np.cumprod(1 + returns.drop("date").to_numpy(), axis=0)])
    rows = np.arange(prices.shape[0])
    # mom = P[t-1] / P[t-21] - 1 against fwd = P[t+5] / P - 1; the file's own rows decide where the count starts.
    best = None
    for first in range(25, 40):
        chosen = rows[first:-10:20]
        if len(chosen) < wanted.height:
            continue
        chosen = chosen[: wanted.height]
        signal = prices[chosen - 1] / prices[chosen - 21] - 1
        forward = prices[chosen + 5] / prices[chosen] - 1
        found = nb.stats.information_coefficients(signal, forward)
        worst = np.abs(np.asarray(found["ic"]) - wanted["spearman_r"].to_numpy()).max()
        best = worst if best is None else min(best, worst)
    assert best is not None and best < 1e-12


def test_quantiles_equal_pandas() -> None:
    pd = pytest.importorskip("pandas")
    random = np.random.default_rng(2)
    signal, forward = np.round(random.normal(size=(20, 23)), 1), random.normal(size=(20, 23))
    for groups in (2, 5, 10):
        found = nb.stats.quantile_returns(signal, forward, groups=groups)
        for row in range(20):
            labels = pd.qcut(pd.Series(signal[row]).rank(method="first"), groups, labels=False)
            means = pd.Series(forward[row]).groupby(labels).mean().to_numpy()
            mine = [np.asarray(found[f"q{g + 1}"])[row] for g in range(groups)]
            np.testing.assert_allclose(mine, means, rtol=1e-12)
            assert np.asarray(found["spread"])[row] == pytest.approx(means[-1] - means[0], rel=1e-12)


def test_sharpe_statistics_equal_the_oracle(shared) -> None:
    pl = pytest.importorskip("polars")
    json = __import__("json")
    oracle = json.loads((shared / "oracle" / "11_stats_cv.json").read_text())["psr"]
    frame = pl.read_csv(shared / "oracle" / oracle["returns"])
    returns = frame[frame.columns[-1]].drop_nulls().to_numpy()
    returns = returns[len(returns) - oracle["n"] :]
    assert nb.stats.probabilistic_sharpe(returns) == pytest.approx(oracle["psr_vs_0"], abs=1e-9)
    dsr = oracle["dsr"]
    found = nb.stats.deflated_sharpe(returns, trials=dsr["n_trials"], variance=dsr["var_trials_per_period"])
    assert found == pytest.approx(dsr["dsr"], abs=1e-9)


def test_regression_equals_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api")
    random = np.random.default_rng(3)
    factors = random.normal(size=(400, 3)) * [1.0, 0.01, 100.0]
    noise = np.convolve(random.normal(size=410), np.ones(10) / 3, mode="valid")[:400]
    returns = 0.1 + factors @ [0.5, 20.0, -0.002] + noise
    plain = sm.OLS(returns, sm.add_constant(factors)).fit()
    robust = sm.OLS(returns, sm.add_constant(factors)).fit(cov_type="HAC", cov_kwds={"maxlags": 6})
    for lags, wanted in ((None, plain), (6, robust)):
        found = nb.stats.factor_regression(returns, factors, lags=lags)
        table = np.column_stack([np.asarray(found.table[name]) for name in found.table.columns])
        np.testing.assert_allclose(table[0], wanted.params, rtol=1e-9)
        np.testing.assert_allclose(table[1], wanted.bse, rtol=1e-9)
        np.testing.assert_allclose(table[2], wanted.tvalues, rtol=1e-9)
        np.testing.assert_allclose(table[3], wanted.pvalues, rtol=1e-6, atol=1e-14)
        assert found.r_squared == pytest.approx(wanted.rsquared, rel=1e-9)
        assert found.adjusted_r_squared == pytest.approx(wanted.rsquared_adj, rel=1e-9)
    mean = sm.OLS(returns, np.ones(400)).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
    found_mean = nb.stats.newey_west_mean(returns, lags=5)
    assert found_mean.t_value == pytest.approx(mean.tvalues[0], rel=1e-9)
    assert found_mean.p_value == pytest.approx(mean.pvalues[0], rel=1e-6)


def test_bootstrap_agrees_with_arch_in_distribution() -> None:
    pytest.importorskip("arch")
    from arch.bootstrap import StationaryBootstrap

    random = np.random.default_rng(4)
    series = np.convolve(random.normal(size=505), np.ones(6), mode="valid")
    reference = StationaryBootstrap(12, series, seed=1)
    draws = reference.apply(lambda x: x.mean(), 4_000).ravel()
    found = nb.stats.bootstrap(series, block=12, count=4_000, confidence=0.9)
    assert found.standard_error == pytest.approx(draws.std(ddof=1), rel=0.08)
    low, high = np.quantile(draws, [0.05, 0.95])
    width = high - low
    assert abs(found.interval[0] - low) < 0.1 * width and abs(found.interval[1] - high) < 0.1 * width


def test_overfitting_equals_a_naive_count() -> None:
    from itertools import combinations

    random = np.random.default_rng(5)
    returns = random.normal(size=(83, 6))
    found = nb.stats.overfitting_probability(returns, blocks=8)
    blocks = returns[:80].reshape(8, 10, 6)
    logits = []
    for chosen in combinations(range(8), 4):
        train = np.concatenate([blocks[b] for b in chosen])
        test = np.concatenate([blocks[b] for b in range(8) if b not in chosen])
        sharpe = [part.mean(axis=0) / part.std(axis=0, ddof=1) for part in (train, test)]
        best = sharpe[0].argmax()
        rank = (sharpe[1] <= sharpe[1][best]).sum() / 7
        logits.append(np.log(rank / (1 - rank)))
    np.testing.assert_allclose(np.asarray(found.logits), logits, rtol=1e-9, atol=1e-12)
    assert found.probability == pytest.approx(np.mean(np.array(logits) <= 0))


def test_errors_say_where() -> None:
    with pytest.raises(nb.InputError, match="constant"):
        nb.stats.spearman([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])
    with pytest.raises(nb.InputError) as caught:
        nb.stats.pearson([1.0, 2.0, 3.0], [1.0, float("nan"), 3.0])
    assert caught.value.row == 1
    with pytest.raises(nb.InputError, match="at least 3"):
        nb.stats.kendall([1.0], [2.0])
