"""The text of a data card, up to 80 columns wide. It is read as it is, and on pages that render it."""

SYNTHETIC = """\
> **Synthetic data: this is not ImageNet.** The images are generated. Their
> names, classes and numbers are the official ones."""

# About splits whose class folders are links; {splits} are their names.
FOLDER_LINKS = """\
## Links to folders

The class folders of {splits} are links to the folders of the source.
torchvision, timm, DALI, `find -L`, `tar -h`, `cp -rL` and `glob("*/*")` follow
such links. Hugging Face `datasets`, the file sets of mlcroissant, `os.walk`,
`Path.rglob`, `find`, `tar` and `cp -r` do not, and find no image there. A build
with `link: symlink-files`, `hardlink` or `copy` has no links to folders.

"""
NO_HUB = """\
This finds no {splits}: the reader does not follow links to folders (see below).
`imagenet-s export parquet {name}` writes all splits, with the class names.

"""

TEXT = """\
# {name}

{notes}ImageNet-S with {classes} classes: images of ImageNet-1k, and masks with a
class for each pixel. It is the data set of the benchmark for
[large-scale unsupervised semantic segmentation]({home}).

{table}

Images of train-semi are also in train. Masks of test are not public: the
benchmark scores predictions of them.

Digest: `{digest}`

Copies with the same digest hold the same images and masks. To check them all,
run `sha256sum -c --quiet manifests/*.sha256` in this folder.

## Contents

- `<split>/<wnid>/*.JPEG`: the images, byte for byte as in the source
- `<split>-segmentation/<wnid>/*.png`: the masks, as RGB images. The class id of
  a pixel is R + 256 · G; 0 is other (background), 1000 is ignore
- `classes.csv`: the classes: id, wnid, name, numbers of images, masks, pixels
- `manifests/<split>.parquet`, `.csv`: each image's class, size, digest, mask
- `<split>.txt`: a line for each image: image, mask or `-`, class id
- `croissant.json`: a description for programs, in the format Croissant 1.0
- `metadata.csv`, `metadata.jsonl`: what Hugging Face needs to find the masks
- `dataset.json`: digests of these files, and how they were built

Class ids count from 1, in the order of the wnids. Labels of data loaders count
from 0: the label is the class id − 1.

## Load it

Run these examples in the folder above `{name}`.

NumPy and Pillow, with the package imagenet-s or without it. Masks need 16 bits:
in 8 bits, `256 * G` overflows.

```python
image, ids = imagenet_s.open("{name}")["validation", 0]

rgb = np.asarray(Image.open(mask_path)).astype(np.uint16)
ids = rgb[..., 0] + 256 * rgb[..., 1]
```

pandas:

```python
samples = pd.read_parquet("{name}/manifests/validation.parquet")
classes = pd.read_csv("{name}/classes.csv", index_col="class_id")
```

PyTorch, with masks (`pip install 'imagenet-s[torch]'`) or only with labels:

```python
from imagenet_s.torch import ImageNetS
data = ImageNetS(".", subset={subset}, target=("class", "mask"))
image, (label, mask) = data[0]

data = torchvision.datasets.ImageFolder("{name}/validation")
```

Hugging Face `datasets`, images with labels, or with masks:

```python
data = load_dataset("./{name}")
data = load_dataset("./{name}", "masks_validation")
```

{hub}WebDataset, after `imagenet-s export webdataset {name}`:

```python
shards = sorted(glob("exports/webdataset/{name}-validation-*.tar"))
data = wds.WebDataset(shards, shardshuffle=False).decode("pil")
data = data.to_tuple("jpg", "seg.png", "cls")
```

COCO, after `imagenet-s export coco {name}`:

```python
data = pycocotools.coco.COCO("exports/coco/{name}-validation.json")
```

Croissant:

```python
data = mlcroissant.Dataset("{name}/croissant.json").records("validation")
```

{links}## How it was built

- program: {pipeline}
- images: {layout} (link: {link})
- masks: {archive}

`dataset.json` says more.

## Licence and terms

The images are under the
[terms of access of ImageNet]({terms}): for
non-commercial research and education. Do not pass them on to people who have
not agreed to these terms. The masks are under the terms of their authors.

## Citation

```bibtex
@article{{gao2023luss,
  title   = {{Large-scale Unsupervised Semantic Segmentation}},
  author  = {{Gao, Shanghua and Li, Zhong-Yu and Yang, Ming-Hsuan and
             Cheng, Ming-Ming and Han, Junwei and Torr, Philip}},
  journal = {{IEEE Transactions on Pattern Analysis and Machine Intelligence}},
  year    = {{2023}},
  note    = {{arXiv:2106.03149}}
}}
```
"""
