# Raw ImageNet: where each image is, and whether the source holds all that the subsets need.


# One job per tier, in ascending order. The first checks the source for all subsets, so that an incomplete
# source stops the build at once. Adding a subset later does not list a tier again: `asked` takes `output`,
# and so Snakemake does not compare it.
rule source:
    input:
        lower=lambda wildcards: expand(
            rules.source.output, tier=tiers_of(int(wildcards.tier))[:-1]
        ),
        demo=[] if CONFIG.imagenet else FILES.demo_receipt("{tier}"),
    output:
        listing=FILES.listing("{tier}"),
        findings=FILES.findings("{tier}"),
    log:
        FILES.log("source-{tier}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=job_command,
        imagenet=CONFIG.source or "demo",
        folder=CONFIG.imagenet or moved(FILES.demo_images),
        asked=lambda wildcards, output: jobs.request_options(CONFIG, wildcards.tier),
        root=moved(FILES.output),
        listings=moved(FILES.listings),
        # Without preflight.check: rewording a message is no reason to list the source again.
        code=code_digest("source.scan", "source.listing"),
    message:
        "Scanning the source: {params.imagenet} (tier {wildcards.tier})"
    shell:
        "{params.run} --log {log:q} source --tier {wildcards.tier} {params.asked}"
        " --imagenet {params.folder:q} --output {params.root:q} --folder {params.listings:q}"
