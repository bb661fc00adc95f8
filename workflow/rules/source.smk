# Raw ImageNet: what is there, and is it all that the subsets need?


rule index:
    input:
        f"{WORK}/demo/images-{{tier}}.json" if CONFIG.imagenet is None else [],
    output:
        listing=f"{WORK}/source/{{tier}}.parquet",
        findings=f"{WORK}/source/{{tier}}.json",
    log:
        f"{LOGS}/index-{{tier}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=minutes(60),
    params:
        run=imagenet_s,
        imagenet=CONFIG.imagenet or "demo",
        folder=lambda wildcards, output: CONFIG.imagenet
        or f"{root_of(wildcards, output)}/work/demo/imagenet",
        code=code_digest("source"),
    message:
        "Listing the images of {params.imagenet} (tier {wildcards.tier})"
    shell:
        "{params.run} --log {log} index --tier {wildcards.tier} --imagenet {params.folder:q}"
        " --listing {output.listing:q} --findings {output.findings:q}"


rule check:
    input:
        listings=expand(rules.index.output.listing, tier=tiers(CONFIG.subsets)),
        findings=expand(rules.index.output.findings, tier=tiers(CONFIG.subsets)),
    output:
        f"{WORK}/source/check.json",
    log:
        f"{LOGS}/check.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=minutes(10),
    params:
        run=imagenet_s,
        subsets=SUBSETS,
        train_images="complete" if CONFIG.complete else "any",
        link=CONFIG.link,
        root=root_of,
        code=code_digest("check"),
    message:
        "Checking that the source is complete and the output can take the build"
    shell:
        "{params.run} --log {log} check --subsets {params.subsets} --train-images {params.train_images}"
        " --link {params.link} --listings {input.listings:q} --findings {input.findings:q}"
        " --output {params.root:q} --receipt {output:q}"
