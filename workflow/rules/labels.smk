# The masks in further encodings, each in a folder beside the official masks.


rule labels:
    input:
        samples=FILES.samples("{subset}"),
        records=FILES.mask_records("{subset}"),
    output:
        digests=[
            FILES.label_digests("{subset}", split, "{encoding}") for split in MASKED
        ],
    log:
        FILES.log("labels-{subset}-{encoding}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=job_command,
        masks=moved(FILES.masks("{subset}")),
        tree=moved(FILES.tree("{subset}")),
        scratch=moved(FILES.scratch("labels-{subset}-{encoding}")),
        code=code_digest("dataset.encoded_masks"),
    message:
        "Encoding the masks of ImageNetS{wildcards.subset} as {wildcards.encoding}"
    shell:
        "{params.run} --log {log:q} labels --subset {wildcards.subset} --encoding {wildcards.encoding}"
        " --records {input.records:q} --masks {params.masks:q} --tree {params.tree:q}"
        " --digests {output.digests:q} --scratch {params.scratch:q} --workers {threads}"
