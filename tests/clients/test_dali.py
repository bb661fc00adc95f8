"""NVIDIA DALI: its reader of files on the tree, without a GPU."""

import numpy as np
import pytest

from clients.truth import SPLITS, samples, sha256

dali = pytest.importorskip("nvidia.dali")


def files(folder):
    """Return the bytes and the label of each file below a folder, as DALI reads them."""

    @dali.pipeline_def(batch_size=64, num_threads=1, device_id=None)
    def reading():
        jpegs, labels = dali.fn.readers.file(file_root=str(folder), name="files")
        return jpegs, labels

    pipeline = reading()
    pipeline.build()
    found = []
    while len(found) < (total := pipeline.epoch_size("files")):
        batch, labels = pipeline.run()
        found += [(np.asarray(batch.at(i)).tobytes(), int(labels.at(i)[0])) for i in range(len(batch))]
    return found[:total]


@pytest.mark.parametrize("tree", ["tree50", "linked50"])
@pytest.mark.parametrize("split", SPLITS)
def test_the_file_reader_loads_each_split(request, tree, split):
    folder = request.getfixturevalue(tree)
    found = [(sha256(content), label) for content, label in files(folder / split)]
    assert found == [(sample.sha256, sample.label) for sample in samples(folder, split)]


def test_images_are_decoded_without_a_gpu(tree50):
    @dali.pipeline_def(batch_size=8, num_threads=1, device_id=None)
    def decoding():
        jpegs, _ = dali.fn.readers.file(file_root=str(tree50 / "validation"))
        return dali.fn.decoders.image(jpegs, device="cpu")

    pipeline = decoding()
    pipeline.build()
    (images,) = pipeline.run()
    found = [images.at(i).shape for i in range(8)]
    assert found == [(*sample.size[::-1], 3) for sample in samples(tree50, "validation")[:8]]
