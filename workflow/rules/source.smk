# Raw ImageNet: is all there that the subsets need, and where does it lie?


# One job a tier, each after the lower ones; the first looks at all that is asked for, so that nothing
# begins that cannot end. What is asked for beyond the own tier is no reason to list it again, hence
# `asked` is a function of `output`, which Snakemake does not compare.
rule source:
    input:
        lower=lambda wildcards: expand(
            rules.source.output, tier=tiers_of(int(wildcards.tier))[:-1]
        ),
        demo=f"{WORK}/demo/images-{{tier}}.json" if CONFIG.imagenet is None else [],
    output:
        listing=f"{WORK}/source/{{tier}}.parquet",
        findings=f"{WORK}/source/{{tier}}.json",
    log:
        f"{LOGS}/source-{{tier}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=imagenet_s,
        imagenet=CONFIG.imagenet or "demo",
        folder=lambda wildcards, output: CONFIG.imagenet
        or f"{root_of(wildcards, output)}/work/demo/imagenet",
        asked=lambda wildcards, output: (
            f"--subsets {' '.join(SUBSETS) if CONFIG.imagenet else wildcards.tier}"
            f" {TRAIN_IMAGES} --link {CONFIG.link} --labels {' '.join(CONFIG.labels)}"
        ),
        root=root_of,
        listings=lambda wildcards, output: Path(output.listing).parent,
        # Not of the check: what it passed once is not listed again for another wording.
        code=code_digest("source.scan", "source.listing"),
    message:
        "Looking at the source: {params.imagenet} (tier {wildcards.tier})"
    shell:
        "{params.run} --log {log:q} source --tier {wildcards.tier} {params.asked}"
        " --imagenet {params.folder:q} --output {params.root:q} --folder {params.listings:q}"
