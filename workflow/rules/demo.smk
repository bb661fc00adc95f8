# The embedded demo: a synthetic ImageNet with fitting annotations, used if `imagenet` is `demo`.


rule demo_images:
    output:
        receipt=FILES.demo_receipt("{tier}"),
    log:
        FILES.log("demo_images-{tier}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
        disk_mb=1000,
    params:
        run=job_command,
        root=moved(FILES.demo_images),
        scratch=moved(FILES.scratch("demo-{tier}")),
        code=code_digest("demo.generate"),
    message:
        "Generating synthetic images with the official names (tier {wildcards.tier}): this is not ImageNet"
    shell:
        "{params.run} --log {log:q} demo-images --tier {wildcards.tier} --root {params.root:q}"
        " --receipt {output.receipt:q} --scratch {params.scratch:q} --workers {threads}"


if CONFIG.demo_annotations:

    rule demo_annotations:
        output:
            receipt=FILES.annotations("{subset}"),
        log:
            FILES.log("demo_annotations-{subset}"),
        conda:
            "../../envs/imagenet-s.yaml"
        threads: 2
        resources:
            mem_mb=growing(1000),
            runtime=growing(30),
        params:
            run=job_command,
            folder=moved(FILES.demo_annotations),
            code=code_digest("demo.generate"),
        message:
            "Generating synthetic masks for ImageNetS{wildcards.subset}"
        shell:
            "{params.run} --log {log:q} demo-annotations --subset {wildcards.subset} --folder {params.folder:q}"
            " --receipt {output.receipt:q} --workers {threads}"
