# The masks: their archive fetched and verified, then unpacked, looked at and recorded.


if not CONFIG.demo_annotations:

    # Where Snakemake runs: the nodes of many clusters have no internet.
    rule annotations:
        input:
            # A long download is in vain if the source is not complete.
            source=lambda wildcards: rules.source.output.findings.format(
                tier=wildcards.subset
            ),
        output:
            receipt=f"{WORK}/annotations/{{subset}}.json",
        log:
            f"{LOGS}/annotations-{{subset}}.log",
        localrule: True
        conda:
            "../../envs/imagenet-s.yaml"
        threads: 1
        resources:
            mem_mb=growing(500),
            runtime=growing(120),
            disk_mb=1000,
        params:
            run=imagenet_s,
            origin=CONFIG.annotations,
            md5=lambda wildcards: CONFIG.md5[int(wildcards.subset)],
            folder=lambda wildcards, output: Path(output.receipt).parent,
            code=code_digest("annotations.fetch"),
        message:
            "Getting the annotations of ImageNetS{wildcards.subset} ({params.origin})"
        shell:
            "{params.run} --log {log:q} fetch --subset {wildcards.subset} --from {params.origin:q}"
            " --md5 {params.md5} --folder {params.folder:q} --receipt {output.receipt:q}"


# A target of its own, for a place with internet before a build in one without.
rule fetch:
    input:
        expand(f"{WORK}/annotations/{{subset}}.json", subset=SUBSETS),


rule masks:
    input:
        # Nothing is written before the source is known to be complete.
        source=lambda wildcards: rules.source.output.findings.format(
            tier=wildcards.subset
        ),
        annotations=f"{WORK}/annotations/{{subset}}.json",
    output:
        records=f"{WORK}/masks/{{subset}}.parquet",
    log:
        f"{LOGS}/masks-{{subset}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=imagenet_s,
        root=root_of,
        scratch=lambda wildcards, output: f"{root_of(wildcards, output)}/work/tmp/masks-{wildcards.subset}",
        code=code_digest("annotations.unpack"),
    message:
        "Unpacking and checking the masks of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} masks --subset {wildcards.subset} --annotations {input.annotations:q}"
        " --output {params.root:q} --records {output.records:q} --scratch {params.scratch:q}"
        " --workers {threads}"
