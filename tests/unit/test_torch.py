"""The data set for PyTorch where torch is not installed; with it, `tests/clients/test_torch.py` tests it."""

import importlib
import sys

import pytest


def test_without_torch_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "imagenet_s.torch", raising=False)
    with pytest.raises(ImportError) as caught:
        importlib.import_module("imagenet_s.torch")
    assert str(caught.value).startswith("imagenet_s.torch needs torch and torchvision (")
    assert str(caught.value).endswith("). Run: pip install 'imagenet-s[torch]'")
