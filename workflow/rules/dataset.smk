# The papers of a subset: manifests, dataset.json, and the summary of the whole build.


rule manifests:
    input:
        samples=rules.samples.output,
        tree=rules.tree.output.receipt,
    output:
        expand(
            f"{OUTPUT}/ImageNetS{{{{subset}}}}/manifests/{{name}}",
            name=sample_manifests(),
        ),
    log:
        f"{LOGS}/manifests-{{subset}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
        disk_mb=1000,
    params:
        run=imagenet_s,
        folder=lambda wildcards, output: Path(output[0]).parent,
        code=code_digest("dataset.manifests"),
    message:
        "Writing the manifests of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} manifests --samples {input.samples:q} --folder {params.folder:q}"


rule dataset:
    input:
        manifests=rules.manifests.output,
        labels=lambda wildcards: expand(
            rules.labels.output.digests, encoding=CONFIG.labels, allow_missing=True
        ),
        samples=rules.samples.output,
        annotations=rules.masks.input.annotations,
        findings=of_tiers(rules.source.output.findings),
    output:
        f"{OUTPUT}/ImageNetS{{subset}}/dataset.json",
    log:
        f"{LOGS}/dataset-{{subset}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        run=imagenet_s,
        labels=CONFIG.labels,
        link=CONFIG.link,
        tree=lambda wildcards, output: Path(output[0]).parent,
        code=code_digest("dataset.metadata"),
    message:
        "Writing dataset.json of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} dataset --subset {wildcards.subset} --labels {params.labels}"
        " --link {params.link} --samples {input.samples:q} --annotations {input.annotations:q}"
        " --findings {input.findings:q} --tree {params.tree:q}"


rule tidy:
    input:
        expand(rules.dataset.output, subset=SUBSETS),
    output:
        f"{WORK}/source/tidy.json",
    log:
        f"{LOGS}/tidy.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(60),
    params:
        run=imagenet_s,
        subsets=SUBSETS,
        link=CONFIG.link,
        demo="" if CONFIG.imagenet else "--demo",
        root=root_of,
        code=code_digest("dataset.prune"),
    message:
        "Removing what no tree needs any more"
    shell:
        "{params.run} --log {log:q} tidy --subsets {params.subsets} --link {params.link} {params.demo}"
        " --output {params.root:q} --receipt {output:q}"


rule summary:
    input:
        expand(rules.dataset.output, subset=SUBSETS),
    output:
        f"{OUTPUT}/summary.txt",
    log:
        f"{LOGS}/summary.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        run=imagenet_s,
        code=code_digest("dataset.summary"),
    message:
        "Summing up"
    shell:
        "{params.run} --log {log:q} summary --datasets {input:q} --summary {output:q}"


onsuccess:
    end_run(Path(OUTPUT))
    summary = Path(rules.summary.output[0])
    # Not the summary of an earlier run, if this one was for something else.
    if summary.exists() and summary.stat().st_mtime >= STARTED:
        print_summary(summary)


onerror:
    end_run(Path(OUTPUT))
