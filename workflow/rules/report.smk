# Pictures for people. Target: `contact`. `all` makes them of the demo only: a build of real data does not wait
# for pictures.


rule contact_sheets:
    input:
        manifests=rules.manifests.output,
    output:
        sheets=[
            report(
                FILES.contact_sheet("{subset}", split),
                caption="../report/contact.rst",
                category="Data set",
                labels={"what": f"4 images of ImageNetS{{subset}} {split}"},
            )
            for split in SPLITS
        ],
    log:
        FILES.log("contact_sheets-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        run=job_command,
        tree=moved(FILES.tree("{subset}")),
        root=moved(FILES.output),
        code=code_digest("report.contact_sheet"),
    message:
        "Drawing contact sheets of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} contact-sheets --subset {wildcards.subset} --tree {params.tree:q}"
        " --output {params.root:q}"


rule contact:
    input:
        expand(rules.contact_sheets.output, subset=CONFIG.subsets),
