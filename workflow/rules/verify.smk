# Is a build whole, and if not, what is to be made again? Targets of their own, which always run and need
# no other job: what they look at is what is there, not what Snakemake believes.


rule verify:
    log:
        f"{LOGS}/verify.log",
    # That there is damage is an answer; to ask again gives the same.
    retries: 0
    conda:
        "../../envs/imagenet-s.yaml"
    threads: many_cores()
    resources:
        mem_mb=growing(2000),
        runtime=growing(480),
    params:
        run=launcher(),
        root=OUTPUT,
    message:
        "Verifying {params.root}, every byte"
    shell:
        "{params.run} --log {log:q} verify {params.root:q} --workers {threads}"


rule repair:
    log:
        f"{LOGS}/repair.log",
    # Nor does it help to repeat this.
    retries: 0
    conda:
        "../../envs/imagenet-s.yaml"
    threads: many_cores()
    resources:
        mem_mb=growing(2000),
        runtime=growing(480),
    params:
        run=launcher(),
        settings=json.dumps(config),
        root=OUTPUT,
    message:
        "Repairing {params.root}"
    shell:
        "{params.run} --log {log:q} repair --configfile <(echo {params.settings:q}) --workers {threads}"
