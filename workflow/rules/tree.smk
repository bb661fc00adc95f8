# Images and masks are joined into samples, and the official tree is built.


rule samples:
    input:
        parts=lambda wildcards: [
            FILES.image_records(part) for part in parts_of(wildcards)
        ],
        masks=FILES.mask_records("{subset}"),
        annotations=FILES.annotations("{subset}"),
    output:
        FILES.samples("{subset}"),
    log:
        FILES.log("samples-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        run=job_command,
        train_images=jobs.train_images_option(CONFIG),
        code=code_digest("dataset.samples"),
    message:
        "Joining the records of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} samples --subset {wildcards.subset} {params.train_images}"
        " --parts {input.parts:q}"
        " --masks {input.masks:q} --annotations {input.annotations:q} --samples {output:q}"


rule tree:
    input:
        samples=FILES.samples("{subset}"),
        listings=lambda wildcards: [
            FILES.listing(tier) for tier in tiers_of(int(wildcards.subset))
        ],
        findings=lambda wildcards: [
            FILES.findings(tier) for tier in tiers_of(int(wildcards.subset))
        ],
        pool=lambda wildcards: inputs.pool_receipts(CONFIG, parts_of(wildcards), FILES),
    output:
        receipt=FILES.tree_receipt("{subset}"),
    log:
        FILES.log("tree-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(60),
        disk_mb=6000,  # each image needs a directory entry, which takes a block
    params:
        run=job_command,
        link=CONFIG.link,
        root=moved(FILES.output),
        code=code_digest("dataset.tree"),
    message:
        "Building the tree of ImageNetS{wildcards.subset} (link: {params.link})"
    shell:
        "{params.run} --log {log:q} tree --subset {wildcards.subset} --samples {input.samples:q}"
        " --listings {input.listings:q} --findings {input.findings:q} --link {params.link}"
        " --output {params.root:q} --receipt {output.receipt:q}"
