# Check a build, and restore what is damaged. These targets always run and need no other job: they check the
# files on disk, not what Snakemake has recorded.


rule verify:
    log:
        FILES.log("verify"),
    # Damage is a result, not a failure: do not retry.
    retries: 0
    conda:
        "../../envs/imagenet-s.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(480),
    params:
        run=jobs.check_command(LAUNCH, CONDA),
        root=FILES.output,
    message:
        "Verifying {params.root}, every byte"
    shell:
        "{params.run} --log {log:q} verify {params.root:q} --workers {threads}"


rule repair:
    log:
        FILES.log("repair"),
    # What cannot be restored is a result, too.
    retries: 0
    conda:
        "../../envs/imagenet-s.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(480),
    params:
        run=jobs.check_command(LAUNCH, CONDA),
        settings=json.dumps(config),
        root=FILES.output,
    message:
        "Repairing {params.root}"
    shell:
        "{params.run} --log {log:q} repair --configfile <(echo {params.settings:q}) --workers {threads}"
