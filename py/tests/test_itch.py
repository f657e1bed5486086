"""Raw files."""

from __future__ import annotations

import pytest

import nanobook as nb


def test_the_sample_is_whole():
    report = nb.verify_itch(nb.SAMPLE)
    assert report.messages == 50_000
    assert not report.has_faults
    assert "messages          50,000" in repr(report)


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(nb.SourceError, match="missing.itch") as caught:
        nb.verify_itch(tmp_path / "missing.itch")
    assert isinstance(caught.value, OSError)


def test_a_cut_file_is_a_feed_error(shared):
    path = shared / "itch" / "12302019.NASDAQ_ITCH50.premarket_cut.gz"
    with pytest.raises(nb.FeedError, match="unpacked bytes"):
        nb.verify_itch(path)
    assert nb.verify_itch(path, allow_truncated=True).counts["truncated"]


def test_an_unknown_framing_is_named():
    with pytest.raises(nb.InputError, match='"length", "zero" and "none"'):
        nb.verify_itch(nb.SAMPLE, framing="lines")  # type: ignore[arg-type]
