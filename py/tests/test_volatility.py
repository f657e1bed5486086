"""Volatility models against arch, on random and real series, hard ones among them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import nanobook as nb


def garch_series(seed: int, rows: int, alpha: float, beta: float, freedom: float | None) -> np.ndarray:
    random = np.random.default_rng(seed)
    z = random.standard_normal(rows) if freedom is None else random.standard_t(freedom, rows) * (1 - 2 / freedom) ** 0.5
    series, h = np.empty(rows), 1.0
    for t in range(rows):
        series[t] = z[t] * h**0.5
        h = 1 - min(alpha + beta, 0.999) + alpha * series[t] ** 2 + beta * h
    return series


SERIES = {
    "plain": garch_series(1, 2000, 0.08, 0.90, None),
    "integrated": garch_series(2, 3000, 0.03, 0.969, 3.5),
    "jumpy": garch_series(3, 1500, 0.45, 0.35, 5.0),
    "calm then wild": np.concatenate([garch_series(4, 1000, 0.05, 0.9, None), 6 * garch_series(5, 500, 0.1, 0.85, 6.0)]),
    "slow": garch_series(6, 2500, 0.02, 0.975, None),
}
MODELS = {
    "garch": dict(vol="GARCH", p=1, q=1),
    "garch(1,2)": dict(vol="GARCH", p=1, q=2),
    "gjr": dict(vol="GARCH", p=1, o=1, q=1),
    "egarch": dict(vol="EGARCH", p=1, o=1, q=1),
}


def compare(series: np.ndarray, model: str, mean: str, distribution: str) -> None:
    arch = pytest.importorskip("arch")
    reference = arch.arch_model(series, mean=mean.title(), dist=distribution, rescale=False, **MODELS[model])
    lags = MODELS[model]["q"]
    fit = nb.volatility.fit(series, model=model.split("(")[0], q=lags, mean=mean, distribution=distribution)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The default tolerance of its optimizer leaves parameters off by more than a thousandth. How far below an optimum
        # it stops differs between machines, so it also starts from our parameters, and its better answer counts.
        results = [
            reference.fit(disp="off", starting_values=start, options={"ftol": 1e-12, "maxiter": 1000})
            for start in (None, np.array(list(fit.parameters.values())))
        ]
    result = max(results, key=lambda result: result.loglikelihood)
    gain = fit.log_likelihood - result.loglikelihood
    assert gain > -1e-4 * abs(result.loglikelihood) * 1e-2
    assert abs(gain) < 1e-4 * abs(result.loglikelihood)
    assert fit.converged
    horizon = 1 if model == "egarch" else 5
    mine = np.asarray(fit.forecast(horizon)["variance"])
    # At our parameters arch has our likelihood, variances and forecasts: which of two optima is better is not in doubt.
    fixed = reference.fix(list(fit.parameters.values()))
    assert fixed.loglikelihood == pytest.approx(fit.log_likelihood, rel=1e-9)
    np.testing.assert_allclose(np.asarray(fit.variances) ** 0.5, fixed.conditional_volatility, rtol=1e-9)
    np.testing.assert_allclose(mine, fixed.forecast(horizon=horizon).variance.to_numpy()[-1], rtol=1e-9)
    if gain > 0.01:
        return  # a better optimum than the reference found has other parameters
    wanted = dict(result.params)
    assert list(fit.parameters) == list(wanted)
    # With a t that is nearly normal the likelihood hardly changes with its degrees of freedom, and where arch stops on
    # the ridge is its own matter; ours is not below it.
    flat = wanted.get("nu", 0.0) > 100
    assert not flat or gain > -1e-6
    for name, value in fit.parameters.items():
        if name == "nu" and flat:
            assert abs(1 / value - 1 / wanted[name]) < 2e-3
            continue
        assert abs(value - wanted[name]) < 1e-3 * max(1.0, abs(wanted[name])), name
    if flat:
        return
    forecast = result.forecast(horizon=horizon).variance.to_numpy()[-1]
    np.testing.assert_allclose(mine, forecast, rtol=1e-4)
    np.testing.assert_allclose(np.asarray(fit.variances) ** 0.5, result.conditional_volatility, rtol=1e-3)


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("distribution", ["normal", "t"])
def test_garch_equals_arch(name: str, distribution: str) -> None:
    compare(SERIES[name], "garch", "constant", distribution)
    compare(SERIES[name], "garch", "zero", distribution)


@pytest.mark.parametrize("name", ["plain", "jumpy", "calm then wild"])
def test_gjr_equals_arch(name: str) -> None:
    compare(SERIES[name], "gjr", "constant", "normal")
    compare(SERIES[name], "gjr", "zero", "t")


@pytest.mark.parametrize("name", ["plain", "jumpy", "calm then wild"])
def test_egarch_equals_arch(name: str) -> None:
    compare(SERIES[name], "egarch", "zero", "normal")


def test_real_series_equal_arch(shared) -> None:
    pl = pytest.importorskip("polars")
    frame = pl.read_csv(shared / "prices" / "sp500_20_daily_1990_2022.csv.gz")
    for name in ("AMD", "JNJ", "GE", "XOM", "MSFT"):
        prices = frame[name].drop_nulls().to_numpy()[-3000:]
        compare(100 * np.diff(np.log(prices)), "garch", "constant", "normal")


def test_two_lags_on_the_index_equal_arch(shared) -> None:
    pl = pytest.importorskip("polars")
    prices = pl.read_csv(shared / "prices" / "sp500_index_daily.csv.gz")["SP500"].drop_nulls().to_numpy()
    returns = 100 * np.diff(np.log(prices))
    # The weights of two lags share one on a flat ridge of the likelihood.
    compare(returns[-3000:], "garch(1,2)", "constant", "t")
    compare(returns, "garch(1,2)", "constant", "t")


def test_units_do_not_matter() -> None:
    series = SERIES["plain"]
    one, hundredth = nb.volatility.fit(series), nb.volatility.fit(series / 100)
    assert hundredth.parameters["beta[1]"] == pytest.approx(one.parameters["beta[1]"], abs=1e-5)
    assert nb.garch_forecast(series / 100) == pytest.approx(nb.garch_forecast(series) / 100, rel=1e-5)


def test_the_last_shock_counts_once() -> None:
    series = SERIES["plain"].copy()
    fit = nb.volatility.fit(series, mean="zero")
    omega, alpha, beta = fit.parameters.values()
    ahead = omega + alpha * series[-1] ** 2 + beta * np.asarray(fit.variances)[-1]
    assert nb.garch_forecast(series) ** 2 == pytest.approx(ahead, rel=1e-9)
    # The fixed variant, by hand.
    sample = np.mean(series**2)
    h = sample
    for r in series:
        h = 0.02 * sample + 0.08 * r * r + 0.90 * h
    assert nb.garch_ewma_forecast(series) == pytest.approx(h**0.5, rel=1e-12)


def test_intervals_hold_what_they_promise() -> None:
    series = SERIES["plain"]
    fit = nb.volatility.fit(series)
    frame = fit.forecast(3, confidence=0.9)
    mean, variance = np.asarray(frame["mean"]), np.asarray(frame["variance"])
    np.testing.assert_allclose(np.asarray(frame["high"]), mean + 1.6448536269514722 * variance**0.5, rtol=1e-9)
    z = np.asarray(fit.residuals) / np.asarray(fit.variances) ** 0.5
    assert abs(np.mean(np.abs(z) < 1.645) - 0.9) < 0.02


def test_egarch_simulates_further_steps() -> None:
    arch = pytest.importorskip("arch")
    series = SERIES["plain"]
    fit = nb.volatility.fit(series, model="egarch", mean="zero")
    reference = arch.arch_model(series, mean="Zero", vol="EGARCH", p=1, o=1, q=1, rescale=False)
    fixed = reference.fix(list(fit.parameters.values()))
    wanted = fixed.forecast(horizon=5, method="simulation", simulations=20_000, random_state=np.random.RandomState(1))
    np.testing.assert_allclose(np.asarray(fit.forecast(5)["variance"]), wanted.variance.to_numpy()[-1], rtol=0.02)
    np.testing.assert_array_equal(np.asarray(fit.forecast(5)["variance"]), np.asarray(fit.forecast(5)["variance"]))


def test_ewma_equals_arch() -> None:
    pytest.importorskip("arch")
    from arch.univariate import EWMAVariance, ZeroMean

    series = SERIES["plain"]
    model = ZeroMean(series, volatility=EWMAVariance(0.94))
    wanted = model.fit(disp="off").conditional_volatility ** 2
    np.testing.assert_allclose(np.asarray(nb.volatility.ewma_variance(series))[:-1], wanted, rtol=1e-9)


def test_realized_equals_the_formulas() -> None:
    random = np.random.default_rng(8)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 200)))
    open = close * np.exp(random.normal(0, 0.003, 200))
    high = np.maximum(open, close) * 1.004
    low = np.minimum(open, close) * 0.995
    n, row = 20, 150
    window = slice(row - n + 1, row + 1)
    o, h, lo, c = (np.log(v) for v in (open, high, low, close))
    overnight = (o[1:] - c[:-1])[row - n : row]
    rs = ((h - c) * (h - o) + (lo - c) * (lo - o))[window].mean()
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    wanted = {
        "close_to_close": np.diff(c)[row - n : row].std(ddof=1),
        "parkinson": (((h - lo)[window] ** 2).mean() / (4 * np.log(2))) ** 0.5,
        "garman_klass": (0.5 * (h - lo) ** 2 - (2 * np.log(2) - 1) * (c - o) ** 2)[window].mean() ** 0.5,
        "rogers_satchell": rs**0.5,
        "yang_zhang": (overnight.var(ddof=1) + k * (c - o)[window].var(ddof=1) + (1 - k) * rs) ** 0.5,
    }
    for estimator, value in wanted.items():
        found = np.asarray(
            nb.volatility.realized(close, open=open, high=high, low=low, estimator=estimator, window=n)
        )
        assert found[row] == pytest.approx(value, rel=1e-9), estimator
        assert np.isnan(found[: n - 1]).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(nb.InputError, match="constant"):
        nb.volatility.fit(np.ones(100))
    series = SERIES["plain"].copy()
    series[7] = np.nan
    with pytest.raises(nb.InputError) as caught:
        nb.volatility.fit(series)
    assert caught.value.row == 7
    with pytest.raises(nb.InputError, match="at least 40"):
        nb.volatility.fit(series[8:20])
    with pytest.raises(nb.InputError, match="garch, gjr, egarch"):
        nb.volatility.fit(series[8:], model="arch")  # type: ignore[arg-type]
