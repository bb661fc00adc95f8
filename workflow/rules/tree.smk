# Images and masks joined into samples, and the official tree made of links.


rule samples:
    input:
        parts=of_parts(rules.images.output.records),
        masks=rules.masks.output.records,
        annotations=rules.masks.input.annotations,
    output:
        f"{WORK}/samples/{{subset}}.parquet",
    log:
        f"{LOGS}/samples-{{subset}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        run=imagenet_s,
        train_images=TRAIN_IMAGES,
        code=code_digest("dataset.samples"),
    message:
        "Joining the records of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} samples --subset {wildcards.subset} {params.train_images}"
        " --parts {input.parts:q}"
        " --masks {input.masks:q} --annotations {input.annotations:q} --samples {output:q}"


rule tree:
    input:
        samples=rules.samples.output,
        listings=of_tiers(rules.source.output.listing),
        findings=of_tiers(rules.source.output.findings),
        # With `link: copy`, the receipts of the copies.
        pool=of_parts(rules.images.output.pool, passes=False) if COPYING else [],
    output:
        receipt=f"{WORK}/trees/{{subset}}.json",
    log:
        f"{LOGS}/tree-{{subset}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(60),
        disk_mb=6000,  # an entry for each image takes a block
    params:
        run=imagenet_s,
        link=CONFIG.link,
        root=root_of,
        code=code_digest("dataset.tree"),
    message:
        "Linking the tree of ImageNetS{wildcards.subset} ({params.link})"
    shell:
        "{params.run} --log {log:q} tree --subset {wildcards.subset} --samples {input.samples:q}"
        " --listings {input.listings:q} --findings {input.findings:q} --link {params.link}"
        " --output {params.root:q} --receipt {output.receipt:q}"
