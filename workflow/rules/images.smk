# Each image of the source is read once, part by part: digests and sizes, and with `link: copy` the copy.


# The receipt in the pool says that the copies are there. It is no output of other link modes, so that to
# leave `copy` reads nothing again.
rule images:
    input:
        listing=lambda wildcards: rules.source.output.listing.format(
            tier=tier_of(wildcards.part)
        ),
    output:
        **({"pool": f"{WORK}/pool/{{part}}.json"} if COPYING else {}),
        records=f"{WORK}/images/{{part}}.parquet",
    log:
        f"{LOGS}/images-{{part}}.log",
    wildcard_constraints:
        part="(train|val)-[0-9]+-[0-9]+",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(240),
        disk_mb=10_000,  # where the images are copied, and hardly anything else
    params:
        run=imagenet_s,
        copied=lambda wildcards, output: (
            f"--copied {shlex.quote(output.pool)}" if COPYING else ""
        ),
        pool=lambda wildcards, output: f"{root_of(wildcards, output)}/work/pool",
        scratch=lambda wildcards, output: f"{root_of(wildcards, output)}/work/tmp/{wildcards.part}",
        code=code_digest("images.read"),
    message:
        "Reading images: {wildcards.part}"
    shell:
        "{params.run} --log {log:q} images --part {wildcards.part} --listing {input.listing:q}"
        " --records {output.records:q} {params.copied} --pool {params.pool:q} --scratch {params.scratch:q}"


# What can only be read from front to back is read once for all subsets, into the pool.
rule stream:
    input:
        checked=lambda wildcards: rules.source.output.findings.format(
            tier=tier_of(wildcards.part)
        ),
        files=lambda wildcards: pass_files(PLACES, wildcards.part),
    output:
        records=f"{WORK}/images/{{part}}.parquet",
    log:
        f"{LOGS}/stream-{{part}}.log",
    wildcard_constraints:
        part="(train|val)-pass-[0-9]+-[0-9]+",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(480),
        disk_mb=40_000,  # with five passes; fewer are of smaller archives
    params:
        run=imagenet_s,
        pool=lambda wildcards, output: f"{root_of(wildcards, output)}/work/pool",
        scratch=lambda wildcards, output: f"{root_of(wildcards, output)}/work/tmp/{wildcards.part}",
        code=code_digest("images.stream"),
    message:
        "Reading archives from front to back: {wildcards.part}"
    shell:
        "{params.run} --log {log:q} stream --part {wildcards.part} --files {input.files:q}"
        " --records {output.records:q} --pool {params.pool:q} --scratch {params.scratch:q}"
