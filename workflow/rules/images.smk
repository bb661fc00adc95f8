# Each image of the source is read once, part by part: digests and sizes, and with `link: copy` a copy.


# The receipt in the pool states that the copies exist. Only with `link: copy` is it an output, so that
# changing `link` from `copy` to another value does not read the images again.
rule images:
    input:
        listing=lambda wildcards: FILES.listing(tier_of(wildcards.part)),
    output:
        **({"pool": FILES.pool_receipt("{part}")} if CONFIG.link == "copy" else {}),
        records=FILES.image_records("{part}"),
    log:
        FILES.log("images-{part}"),
    wildcard_constraints:
        part="(train|val)-[0-9]+-[0-9]+",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(240),
        disk_mb=10_000,  # if the images are copied; otherwise a few MB
    params:
        run=job_command,
        copied=lambda wildcards, output: jobs.option("--copied", output.get("pool", [])),
        pool=moved(FILES.pool),
        scratch=moved(FILES.scratch("{part}")),
        code=code_digest("images.read"),
    message:
        "Reading images: {wildcards.part}"
    shell:
        "{params.run} --log {log:q} images --part {wildcards.part} --listing {input.listing:q}"
        " --records {output.records:q} {params.copied} --pool {params.pool:q} --scratch {params.scratch:q}"


# Archives that can only be read from front to back are read once for all subsets, into the pool.
rule stream:
    input:
        checked=lambda wildcards: FILES.findings(tier_of(wildcards.part)),
        files=lambda wildcards: pass_files(PLACES, wildcards.part),
    output:
        records=FILES.image_records("{part}"),
    log:
        FILES.log("stream-{part}"),
    wildcard_constraints:
        part="(train|val)-pass-[0-9]+-[0-9]+",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(480),
        disk_mb=40_000,  # if five jobs share the source; fewer jobs have smaller archives
    params:
        run=job_command,
        pool=moved(FILES.pool),
        scratch=moved(FILES.scratch("{part}")),
        code=code_digest("images.stream"),
    message:
        "Reading archives from front to back: {wildcards.part}"
    shell:
        "{params.run} --log {log:q} stream --part {wildcards.part} --files {input.files:q}"
        " --records {output.records:q} --pool {params.pool:q} --scratch {params.scratch:q}"
