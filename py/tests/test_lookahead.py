"""Signals that look ahead are found, in every kind of frame; those that don't are not accused."""

from __future__ import annotations

import numpy as np
import pytest

import nanobook as nb

pl = pytest.importorskip("polars")

DAYS = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 9), eager=True)
WIDE = pl.DataFrame({"date": DAYS, **{n: 100 + np.random.default_rng(i).standard_normal(len(DAYS)).cumsum() for i, n in enumerate("AB")}})
LONG = WIDE.unpivot(index="date", variable_name="symbol", value_name="close").sort("date", "symbol")


def momentum(prices):
    return prices.with_columns(pl.col("A", "B") / pl.col("A", "B").shift(5) - 1)


def leaky(prices):
    return prices.with_columns(pl.col("A").shift(-1), pl.col("B").shift(1))


def test_a_clean_signal_is_clean():
    assert len(nb.check_lookahead(momentum, WIDE, cuts=None)) == 0
    assert len(nb.check_lookahead(lambda p: p.with_columns(pl.col("close").ewm_mean(span=5).over("symbol")), LONG)) == 0


def test_a_shift_backwards_is_found_where_it_is():
    found = nb.check_lookahead(leaky, WIDE, cuts=None).to_polars()
    assert found["column"].unique().to_list() == ["A"]
    # Each cut lacks the next day's value of its last row, and no other.
    assert (found["cut"] == found["ts"]).all()
    assert len(found) == len(DAYS) - 1
    row = found.row(10, named=True)
    at = DAYS.to_list().index(row["ts"].date())
    assert row["truncated"] is None and row["full"] == WIDE["A"][at + 1]


def test_normalisation_over_the_whole_sample_is_found():
    def scaled(p):
        return p.with_columns((pl.col("close") - pl.col("close").mean().over("symbol")) / pl.col("close").std().over("symbol"))

    found = nb.check_lookahead(scaled, LONG, cuts=5).to_polars()
    assert set(found["symbol"]) == {"A", "B"} and found["cut"].n_unique() == 5


def test_pandas_pyarrow_and_numpy():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({n: WIDE[n].to_numpy() for n in "AB"}, index=pd.DatetimeIndex(DAYS.to_list(), name="date"))
    assert len(nb.check_lookahead(lambda p: p.rolling(5).mean(), frame)) == 0
    assert len(nb.check_lookahead(lambda p: p - p.mean(), frame)) > 0
    matrix = WIDE.select("A", "B").to_numpy()
    assert len(nb.check_lookahead(lambda p: np.cumsum(p, axis=0), matrix)) == 0
    assert len(nb.check_lookahead(lambda p: p[::-1], matrix)) > 0
    table = WIDE.to_arrow()
    assert len(nb.check_lookahead(lambda p: p, table)) == 0


def test_what_can_not_be_checked_is_an_error():
    with pytest.raises(nb.InputError, match="too few"):
        nb.check_lookahead(momentum, WIDE.head(2))
    with pytest.raises(nb.DtypeError, match="one column of times"):
        nb.check_lookahead(momentum, WIDE.drop("date"))
    with pytest.raises(ZeroDivisionError):
        nb.check_lookahead(lambda p: 1 / 0, WIDE)
