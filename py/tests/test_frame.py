"""Frames in and out: values, types, addresses, errors."""

from __future__ import annotations

import datetime as dt
import gc

import numpy as np
import pytest

import nanobook as nb
from nanobook._lib import probe

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

UTC = dt.timezone.utc
NAMES = ["a", "b", "c"]


def wide(rows: int = 1000) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return pl.DataFrame({name: rng.random(rows) for name in NAMES})


def address(values: np.ndarray) -> int:
    return values.__array_interface__["data"][0]


def mixed() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts": pl.Series([dt.datetime(2020, 1, 30, 14, 30, tzinfo=UTC), None]).cast(pl.Datetime("ns", "UTC")),
            "day": [dt.date(2020, 1, 30), dt.date(1969, 12, 31)],
            "symbol": ["AAPL", "a text that is longer than a view holds inline"],
            "qty": pl.Series([1, 2**63], dtype=pl.UInt64),
            "side": pl.Series([1, None], dtype=pl.Int8),
            "px": [1.5, None],
            "flag": [True, None],
        }
    )


def test_values_survive_the_way_through():
    frame = nb.Frame(mixed())
    assert frame.shape == (2, 7)
    assert frame.to_polars().equals(mixed())
    assert pl.DataFrame(pa.table(frame)).equals(mixed())
    assert frame.to_dict() == mixed().to_dict(as_series=False)
    assert frame.dtypes == ["datetime[ns, UTC]", "date", "str", "u64", "i8", "f64", "bool"]


@pytest.mark.parametrize("make", [lambda d: d, lambda d: d.to_arrow(), lambda d: nb.Frame(d)], ids=["polars", "pyarrow", "own"])
def test_numbers_go_in_where_they_are(make):
    data = wide()
    there = [address(data[name].to_numpy(allow_copy=False)) for name in NAMES]
    seen = probe.addresses(make(data))
    assert [seen[name] for name in NAMES] == [[place] for place in there]


def test_every_numeric_column_goes_out_where_it_is():
    types = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64]
    data = pl.DataFrame({str(t): pl.Series(range(100), dtype=t) for t in types})
    frame = nb.Frame(data)
    places = probe.addresses(frame)
    polars, arrow = frame.to_polars(), frame.to_arrow()
    for name, [place] in places.items():
        assert address(polars[name].to_numpy(allow_copy=False)) == place
        assert arrow[name].chunk(0).buffers()[1].address == place
        assert address(frame[name].to_numpy(allow_copy=False)) == place
        assert address(np.asarray(frame[name])) == place
        assert address(frame[name].to_polars().to_numpy(allow_copy=False)) == place


def test_slices_share_memory():
    frame = nb.Frame(wide())
    [place] = probe.addresses(frame)["a"]
    part = frame[10:20]
    assert probe.addresses(part)["a"] == [place + 80]
    assert address(part["a"].to_numpy(allow_copy=False)) == place + 80
    assert part.to_polars().equals(wide()[10:20])
    assert frame.tail(3).to_polars().equals(wide().tail(3))
    assert frame[["c", "a"]].columns == ["c", "a"]
    assert len(frame[5:5]) == 0


def test_chunks_stay_chunks():
    table = pa.concat_tables([wide(10).to_arrow(), wide(20).to_arrow()])
    frame = nb.Frame(table)
    assert [len(places) for places in probe.addresses(frame).values()] == [2, 2, 2]
    assert frame[5:15].to_polars().equals(pl.concat([wide(10), wide(20)])[5:15])
    assert frame["b"].to_list() == wide(10)["b"].to_list() + wide(20)["b"].to_list()


def test_pandas_comes_and_goes():
    pd = pytest.importorskip("pandas")
    data = pd.DataFrame({name: np.arange(5.0) for name in NAMES})
    frame = nb.Frame(data)
    assert frame[NAMES].to_pandas().equals(data)


def test_a_lazy_frame_is_collected_with_the_columns_that_are_needed():
    data = wide()
    lazy = data.lazy().with_columns(never=pl.col("a").map_batches(lambda s: 1 / 0, return_dtype=pl.Float64))
    sums, rows = probe.sums(lazy, ["c", "a"])
    assert rows == 1000
    assert sums == pytest.approx([data["c"].sum(), data["a"].sum()])


def test_numpy_copies_what_it_can_not_share():
    frame = nb.Frame(mixed())
    assert np.isnat(frame["ts"].to_numpy()[1])
    assert frame["ts"].to_numpy()[0] == np.datetime64("2020-01-30T14:30")
    assert np.isnan(frame["px"].to_numpy()[1])
    assert frame["symbol"].to_numpy().tolist() == mixed()["symbol"].to_list()
    with pytest.raises(ValueError, match="no memory that NumPy can share"):
        frame["px"].to_numpy(allow_copy=False)
    matrix = nb.Frame(wide(4)).to_numpy()
    assert matrix.shape == (4, 3)
    assert np.array_equal(matrix, wide(4).to_numpy())


def test_shared_memory_is_read_only_and_outlives_its_frame():
    frame = nb.Frame(wide())
    values = frame["a"].to_numpy(allow_copy=False)
    del frame
    gc.collect()
    assert values.sum() == pytest.approx(wide()["a"].sum())
    with pytest.raises(ValueError):
        values[0] = 1.0


def test_matrices_are_borrowed_where_their_memory_allows_it():
    rows = np.asfortranarray(np.random.default_rng(2).random((50, 3)))
    places, sums, names = probe.matrix(rows)
    assert places == [address(rows) + at * 50 * 8 for at in range(3)]
    assert sums == pytest.approx(rows.sum(axis=0).tolist())
    assert names is None
    # The C order has to be transposed.
    assert probe.matrix(np.ascontiguousarray(rows))[1] == pytest.approx(sums)
    data = wide().with_columns(ts=pl.lit(dt.date(2020, 1, 30)))
    places, _, names = probe.matrix(data)
    assert names == NAMES
    assert places == [address(data[name].to_numpy()) for name in NAMES]
    assert probe.vector(data["a"])[0] == places[0]
    assert probe.vector([1.0, 2.0])[1] == 2


def test_errors_say_where():
    frame = nb.Frame(wide(3))
    with pytest.raises(nb.MissingError, match="there are a, b, c") as caught:
        frame["d"]
    assert isinstance(caught.value, KeyError) and caught.value.column == "d"
    with pytest.raises(nb.DtypeError, match="a frame is needed") as caught:
        nb.Frame(17)
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, nb.NanobookError)
    with pytest.raises(nb.DtypeError, match="a frame is needed"):
        nb.Frame(pl.Series([1, 2]))
    with pytest.raises(nb.DtypeError, match="Int64, not Float64") as caught:
        probe.sums(pl.DataFrame({"a": [1]}), ["a"])
    assert caught.value.column == "a"
    with pytest.raises(nb.InputError, match='column "b", row 1') as caught:
        probe.matrix(pl.DataFrame({"a": [1.0, 2.0], "b": [1.0, None]}))
    assert (caught.value.row, caught.value.column) == (1, "b")
    with pytest.raises(IndexError):
        frame["a"][3]


def test_reprs_show_the_edges():
    text = repr(nb.Frame(wide()))
    lines = text.splitlines()
    assert lines[0] == "1000 rows × 3 columns"
    assert lines[1].split() == NAMES and lines[2].split() == ["f64"] * 3
    assert len(lines) == 3 + 11 and "…" in lines[8]
    assert repr(nb.Frame(mixed())["symbol"]).startswith("symbol (str, 2 rows): AAPL, ")
    html = nb.Frame(pl.DataFrame({"<b>": ["<script>"]}))._repr_html_()
    assert "&lt;script&gt;" in html and "<script>" not in html
    assert "2020-01-30 14:30:00" in repr(nb.Frame(mixed())) and "datetime[ns, UTC]" in repr(nb.Frame(mixed()))
    assert "2020-01-30 14:30:00" in repr(nb.Frame(mixed())["ts"])
    assert "13 columns" in repr(nb.Frame(pl.DataFrame({str(i): [i] for i in range(13)})))


def test_a_capsule_is_taken_once():
    class Once:
        def __init__(self, capsule):
            self.capsule = capsule

        def __arrow_c_stream__(self, requested_schema=None):
            return self.capsule

    once = Once(wide().__arrow_c_stream__())
    assert len(nb.Frame(once)) == 1000
    with pytest.raises((ValueError, TypeError)):
        nb.Frame(once)
