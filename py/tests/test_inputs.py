"""Frames of other packages with the Arrow PyCapsule interface, all the way through a backtest, and results back to them."""

from __future__ import annotations

import numpy as np
import pytest

import nanobook as nb
from nanobook._lib import probe

pl = pytest.importorskip("polars")

NAMES = ["A", "B", "C"]


@pytest.fixture(scope="module")
def wide():
    """Three walks of 500 days, and weights for every tenth of them."""
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 5, 14), eager=True)[:500]
    walk = 100 * np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.01, (500, 3)), axis=0))
    prices = pl.DataFrame({"date": days, **dict(zip(NAMES, walk.T))})
    weights = prices[::10].select("date", A=pl.lit(0.5), B=pl.lit(0.3), C=pl.lit(0.1))
    return weights, prices


def long(frame, value):
    return frame.unpivot(index="date", variable_name="symbol", value_name=value)


@pytest.fixture(scope="module")
def expected(wide):
    return nb.backtest(*wide, cost=5.0).equity.to_polars()


@pytest.fixture
def duckdb():
    return pytest.importorskip("duckdb")


@pytest.fixture
def na():
    return pytest.importorskip("nanoarrow")


class TestDuckDB:
    def test_relations_are_frames(self, duckdb, wide, expected):
        weights, prices = wide
        found = nb.backtest(duckdb.sql("from weights"), duckdb.sql("from prices"), cost=5.0)
        assert found.equity.to_polars().equals(expected)

    def test_long_relations_with_text_and_times(self, duckdb, wide, expected):
        weights, prices = long(wide[0], "weight"), long(wide[1], "close")
        found = nb.backtest(
            duckdb.sql("select date::timestamp as ts, symbol, weight from weights order by ts, symbol"),
            duckdb.sql("select date::timestamp as ts, symbol, close from prices order by ts, symbol"),
            cost=5.0,
        )
        assert found.equity["equity"].to_list() == pytest.approx(expected["equity"].to_list(), rel=1e-12)

    def test_a_relation_of_many_batches(self, duckdb):
        frame = nb.Frame(duckdb.sql("select i, i / 2 as half, 'n' || i as name, nullif(i, 7) as gap from range(300000) t(i)"))
        assert frame.shape == (300_000, 4) and frame.dtypes == ["i64", "f64", "str", "i64"]
        assert len(probe.addresses(frame)["i"]) > 1
        assert frame["half"][299_999] == 149_999.5 and frame["name"][299_999] == "n299999"
        assert frame["gap"].null_count == 1 and frame["gap"][7] is None

    def test_errors_name_the_place(self, duckdb, wide):
        _, prices = wide
        holed = duckdb.sql("select date, case when A > 0 and date = '2020-01-21' then null else 0.3 end as A from prices where day(date) = 21")
        with pytest.raises(nb.InputError, match="A in row 0") as caught:
            nb.backtest(holed, prices)
        assert caught.value.symbol == "A" and caught.value.row == 0

    def test_results_are_relations(self, duckdb, wide, expected):
        equity = nb.backtest(*wide, cost=5.0).equity
        [(rows, last, paid)] = duckdb.sql("select count(*), arg_max(equity, ts), sum(cost) from equity").fetchall()
        assert (rows, last) == (500, expected["equity"][-1])
        assert paid == pytest.approx(expected["cost"].sum())

    def test_matrices(self, duckdb, wide):
        returns = wide[1].select(pl.col(NAMES).pct_change()).drop_nulls()
        found = nb.optimize.min_variance(duckdb.sql("from returns"))
        assert found.names == NAMES
        assert found.weights.to_list() == nb.optimize.min_variance(returns).weights.to_list()


class TestNanoarrow:
    def test_streams_are_frames(self, na, wide, expected):
        found = nb.backtest(na.ArrayStream(wide[0]), na.ArrayStream(wide[1]), cost=5.0)
        assert found.equity.to_polars().equals(expected)

    def test_arrays_of_structs_are_frames(self, na):
        values = np.arange(5.0)
        type_ = na.struct({"x": na.float64(), "n": na.int32()})
        columns = [na.c_array(values), na.c_array(np.arange(5, dtype=np.int32))]
        array = na.Array(na.c_array_from_buffers(type_, 5, [None], children=columns))
        frame = nb.Frame(array)
        assert frame.to_dict() == {"x": [0.0, 1.0, 2.0, 3.0, 4.0], "n": [0, 1, 2, 3, 4]}
        assert probe.addresses(frame)["x"] == [values.__array_interface__["data"][0]]

    def test_vectors(self, na):
        prices = [100.0 + day % 7 for day in range(60)]
        found = nb.ta.sma(na.Array(prices, na.float64()), 5)
        assert np.array_equal(np.asarray(found), np.asarray(nb.ta.sma(prices, 5)), equal_nan=True)

    def test_results_are_streams(self, na, wide, expected):
        equity = na.ArrayStream(nb.backtest(*wide, cost=5.0).equity).read_all()
        assert len(equity) == 500
        assert equity.child(1).to_pylist() == expected["equity"].to_list()
