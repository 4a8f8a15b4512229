"""The other `autograd` among our files is noticed, with the remedy."""

from __future__ import annotations

import pytest

from autograd._installation import check_folder


def test_the_other_package_in_our_folder_is_an_error(tmp_path):
    check_folder(tmp_path)
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "numpy_wrapper.py").touch()
    with pytest.raises(ImportError, match="pip uninstall autograd"):
        check_folder(tmp_path)
