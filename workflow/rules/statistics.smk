# Statistics: what a data set holds in numbers, as CSV files. Target: `statistics`. `all` makes none.


# The pixels of masks were counted when they were unpacked: no mask is read.
rule count:
    input:
        dataset=FILES.dataset("{subset}"),
        mask_records=FILES.mask_records("{subset}"),
    output:
        [
            report(
                FILES.statistics("{subset}") / name,
                caption="../report/statistics.rst",
                category="Data set",
                labels={"what": f"5 {Path(name).stem} of ImageNetS{{subset}}"},
            )
            for name in statistics_files()
        ],
    log:
        FILES.log("count-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        run=job_command,
        tree=moved(FILES.tree("{subset}")),
        folder=moved(FILES.all_statistics),
        code=code_digest("statistics.command"),
    message:
        "Counting images, masks and pixels of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} stats {params.tree:q} --out {params.folder:q} --workers {threads}"


rule statistics:
    input:
        expand(rules.count.output, subset=CONFIG.subsets),
