"""`croissant.json`: the data set in Croissant 1.0, a format for descriptions that programs read.

Source: http://mlcommons.org/croissant/1.0. The images and masks are file sets. Each split is a record set
over its manifest: image, mask, class id and wnid of each sample.

Image and mask are paths there, not pixels: mlcroissant 1.1 decodes all images of a file set before it returns
the first record, and confuses the pixels of two file sets in one record.
"""

from typing import Any

from imagenet_s.dataset.dataset_json import Build, Content
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder

# The context of the specification; `equivalentProperty` and `samplingRate` came later, and validators ask for
# them.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "equivalentProperty": "cr:equivalentProperty",
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

CITATION = (
    "Shanghua Gao, Zhong-Yu Li, Ming-Hsuan Yang, Ming-Ming Cheng, Junwei Han, Philip Torr. Large-scale "
    "Unsupervised Semantic Segmentation. IEEE TPAMI, 2023. arXiv:2106.03149"
)
PUBLISHED = "2021-06-06"  # the first version of the paper
TERMS = "https://image-net.org/download.php"  # the terms of access of ImageNet
HOME = "https://LUSSeg.github.io/"


def croissant(content: Content, build: Build) -> dict[str, Any]:
    """Return the description of a data set, from the two parts of its `dataset.json`."""
    digests = content["manifests"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": content["dataset"],
        "description": _description(content, build),
        "license": TERMS,
        "url": HOME,
        "creator": {"@type": "sc:Organization", "name": "LUSSeg", "url": "https://github.com/LUSSeg"},
        "datePublished": PUBLISHED,
        "version": build["pipeline"].rpartition(" ")[2],
        "citeAs": CITATION,
        "distribution": [
            *(_manifest(f"{split}.csv", digests[f"{split}.csv"]) for split in SPLITS),
            *(_files(f"{split}-images", f"{split}/*/*.JPEG", "image/jpeg") for split in SPLITS),
            *(_files(f"{split}-masks", f"{mask_folder(split)}/*/*.png", "image/png") for split in MASKED),
        ],
        "recordSet": [_records(split) for split in SPLITS],
    }


def _description(content: Content, build: Build) -> str:
    text = (
        f"ImageNet-S with {content['classes']} classes: images of ImageNet-1k with pixel-wise masks, for "
        f"(unsupervised) semantic segmentation. Digest {content['digest']}."
    )
    note = "SYNTHETIC images with the official names, not ImageNet. "
    return f"{note}{text}" if build["source"]["synthetic"] else text


def _manifest(name: str, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": f"manifests/{name}",
        "encodingFormat": "text/csv",
        "sha256": sha256,
    }


def _files(name: str, pattern: str, kind: str) -> dict[str, Any]:
    return {"@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": kind, "includes": pattern}


def _records(split: str) -> dict[str, Any]:
    """Return the record set of a split."""
    fields = [
        _field(split, "image", "sc:Text", "The image, relative to the folder of the subset."),
        _field(split, "class_id", "sc:Integer", "The class, counted from 1, as in the masks."),
        _field(split, "wnid", "sc:Text", "The class, as a WordNet id."),
    ]
    if split in MASKED:
        text = "The mask, relative to the folder of the subset. A pixel's class id is R + 256 G."
        fields.insert(1, _field(split, "mask", "sc:Text", text))
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "key": {"@id": f"{split}/image"},
        "field": fields,
    }


def _field(split: str, column: str, kind: str, description: str) -> dict[str, Any]:
    """Return a field that takes its values from a column of the split's manifest."""
    return {
        "@type": "cr:Field",
        "@id": f"{split}/{column}",
        "name": column,
        "description": description,
        "dataType": kind,
        "source": {"fileObject": {"@id": f"{split}.csv"}, "extract": {"column": column}},
    }
