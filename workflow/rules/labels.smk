# The masks in further encodings, each beside the masks as they came.


rule labels:
    input:
        samples=rules.samples.output,
        records=rules.masks.output.records,
    output:
        digests=[
            f"{OUTPUT}/ImageNetS{{subset}}/manifests/{label_folder(split, '{encoding}')}.sha256"
            for split in MASKED
        ],
    log:
        f"{LOGS}/labels-{{subset}}-{{encoding}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=imagenet_s,
        masks=lambda wildcards, input: Path(input.records).with_suffix(""),
        tree=lambda wildcards, output: Path(output.digests[0]).parents[1],
        scratch=lambda wildcards, output: (
            f"{root_of(wildcards, output)}/work/tmp/labels-{wildcards.subset}-{wildcards.encoding}"
        ),
        code=code_digest("dataset.encoded_masks"),
    message:
        "Writing the masks of ImageNetS{wildcards.subset} as {wildcards.encoding}"
    shell:
        "{params.run} --log {log:q} labels --subset {wildcards.subset} --encoding {wildcards.encoding}"
        " --records {input.records:q} --masks {params.masks:q} --tree {params.tree:q}"
        " --digests {output.digests:q} --scratch {params.scratch:q} --workers {threads}"
