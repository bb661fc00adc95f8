# The embedded demo: a synthetic ImageNet and annotations that fit. Used where the source is `demo`.


rule demo_images:
    output:
        receipt=f"{WORK}/demo/images-{{tier}}.json",
    log:
        f"{LOGS}/demo_images-{{tier}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
        disk_mb=1000,
    params:
        run=imagenet_s,
        root=lambda wildcards, output: f"{Path(output.receipt).parent}/imagenet",
        scratch=lambda wildcards, output: f"{root_of(wildcards, output)}/work/tmp/demo-{wildcards.tier}",
        code=code_digest("demo.generate"),
    message:
        "Making synthetic images with the official names (tier {wildcards.tier}): this is not ImageNet"
    shell:
        "{params.run} --log {log:q} demo-images --tier {wildcards.tier} --root {params.root:q}"
        " --receipt {output.receipt:q} --scratch {params.scratch:q} --workers {threads}"


if CONFIG.demo_annotations:

    rule demo_annotations:
        output:
            receipt=f"{WORK}/annotations/{{subset}}.json",
        log:
            f"{LOGS}/demo_annotations-{{subset}}.log",
        conda:
            "../../envs/imagenet-s.yaml"
        threads: 2
        resources:
            mem_mb=growing(1000),
            runtime=growing(30),
        params:
            run=imagenet_s,
            folder=lambda wildcards, output: f"{root_of(wildcards, output)}/work/demo/annotations",
            code=code_digest("demo.generate"),
        message:
            "Making synthetic masks for ImageNetS{wildcards.subset}"
        shell:
            "{params.run} --log {log:q} demo-annotations --subset {wildcards.subset} --folder {params.folder:q}"
            " --receipt {output.receipt:q} --workers {threads}"
