# What describes a subset: manifests, files for other programs, dataset.json and a data card. Then the end of a
# build: cleaning up and a summary.


rule manifests:
    input:
        samples=FILES.samples("{subset}"),
        tree=FILES.tree_receipt("{subset}"),
    output:
        [FILES.manifests("{subset}") / name for name in sample_manifests()],
    log:
        FILES.log("manifests-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
        disk_mb=1000,
    params:
        run=job_command,
        folder=moved(FILES.manifests("{subset}")),
        code=code_digest("dataset.manifests"),
    message:
        "Writing the manifests of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} manifests --samples {input.samples:q} --folder {params.folder:q}"


# Class table, Parquet manifests, lists: what other programs read.
rule companions:
    input:
        samples=FILES.samples("{subset}"),
        mask_records=FILES.mask_records("{subset}"),
        tree=FILES.tree_receipt("{subset}"),
    output:
        [FILES.tree("{subset}") / name for name in FROM_RECORDS],
    log:
        FILES.log("companions-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
        disk_mb=1000,
    params:
        run=job_command,
        folder=moved(FILES.tree("{subset}")),
        code=code_digest("dataset.companions"),
    message:
        "Writing the class table and lists of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} companions --subset {wildcards.subset} --samples {input.samples:q}"
        " --mask-records {input.mask_records:q} --tree {params.folder:q}"


rule dataset:
    input:
        manifests=rules.manifests.output,
        companions=rules.companions.output,
        labels=expand(
            rules.labels.output.digests, encoding=CONFIG.labels, allow_missing=True
        ),
        samples=FILES.samples("{subset}"),
        annotations=FILES.annotations("{subset}"),
        findings=lambda wildcards: [
            FILES.findings(tier) for tier in tiers_of(int(wildcards.subset))
        ],
    output:
        dataset=FILES.dataset("{subset}"),
        described=[FILES.tree("{subset}") / name for name in FROM_DATASET],
    log:
        FILES.log("dataset-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        run=job_command,
        labels=CONFIG.labels,
        link=CONFIG.link,
        tree=moved(FILES.tree("{subset}")),
        code=code_digest("dataset.metadata"),
    message:
        "Writing dataset.json and the data card of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} dataset --subset {wildcards.subset} --labels {params.labels}"
        " --link {params.link} --samples {input.samples:q} --annotations {input.annotations:q}"
        " --findings {input.findings:q} --tree {params.tree:q}"


rule tidy:
    input:
        [FILES.dataset(subset) for subset in CONFIG.subsets],
    output:
        FILES.tidy_receipt,
    log:
        FILES.log("tidy"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(60),
    params:
        run=job_command,
        subsets=CONFIG.subsets,
        link=CONFIG.link,
        demo="" if CONFIG.imagenet else "--demo",
        root=moved(FILES.output),
        code=code_digest("dataset.prune"),
    message:
        "Removing intermediate files that no data set uses"
    shell:
        "{params.run} --log {log:q} tidy --subsets {params.subsets} --link {params.link} {params.demo}"
        " --output {params.root:q} --receipt {output:q}"


rule summary:
    input:
        [FILES.dataset(subset) for subset in CONFIG.subsets],
    output:
        summary=FILES.summary,
        tables=[
            report(
                FILES.report_table(name),
                caption=f"../report/{name}.rst",
                category="Data set",
                labels={"what": what},
            )
            for name, what in REPORT_TABLES.items()
        ],
    log:
        FILES.log("summary"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        run=job_command,
        tables=moved(FILES.report_folder),
        code=code_digest("dataset.report_tables"),
    message:
        "Writing the summary"
    shell:
        "{params.run} --log {log:q} summary --datasets {input:q} --summary {output.summary:q}"
        " --tables {params.tables:q}"
