# The masks: their archive is downloaded and verified, then unpacked, checked and recorded.


if not CONFIG.demo_annotations:

    # This job runs where Snakemake runs: the nodes of many clusters have no internet access.
    rule annotations:
        input:
            # No long download before the source is known to be complete.
            source=FILES.findings("{subset}"),
        output:
            receipt=FILES.annotations("{subset}"),
        log:
            FILES.log("annotations-{subset}"),
        localrule: True
        conda:
            "../../envs/imagenet-s.yaml"
        threads: 1
        resources:
            mem_mb=growing(500),
            runtime=growing(120),
            disk_mb=1000,
        params:
            run=job_command,
            origin=CONFIG.annotations,
            md5=lambda wildcards: CONFIG.md5[int(wildcards.subset)],
            folder=moved(FILES.downloads),
            code=code_digest("annotations.fetch"),
        message:
            "Getting the annotations of ImageNetS{wildcards.subset} ({params.origin})"
        shell:
            "{params.run} --log {log:q} fetch --subset {wildcards.subset} --from {params.origin:q}"
            " --md5 {params.md5} --folder {params.folder:q} --receipt {output.receipt:q}"


# A separate target: run it on a machine with internet access before a build on one without.
rule fetch:
    input:
        [FILES.annotations(subset) for subset in CONFIG.subsets],


rule masks:
    input:
        # Nothing is written before the source is known to be complete.
        source=FILES.findings("{subset}"),
        annotations=FILES.annotations("{subset}"),
    output:
        records=FILES.mask_records("{subset}"),
    log:
        FILES.log("masks-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=job_command,
        root=moved(FILES.output),
        scratch=moved(FILES.scratch("masks-{subset}")),
        code=code_digest("annotations.unpack"),
    message:
        "Unpacking and checking the masks of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} masks --subset {wildcards.subset} --annotations {input.annotations:q}"
        " --output {params.root:q} --records {output.records:q} --scratch {params.scratch:q}"
        " --workers {threads}"
