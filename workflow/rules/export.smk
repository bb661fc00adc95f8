# Exports: the data sets in the formats that other software reads. Target: `export`. `all` makes none.


# The jobs share the files of a split by number. Files that a killed job has completed stay.
rule export_files:
    input:
        dataset=FILES.dataset("{subset}"),
    output:
        receipt=FILES.export_receipt("{format}", "{subset}", "{split}", "{job}"),
    log:
        FILES.log("export_files-{format}-{subset}-{split}-{job}"),
    wildcard_constraints:
        split="|".join(SPLITS),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1500),
        runtime=growing(120),
        disk_mb=7000,
    params:
        run=job_command,
        tree=moved(FILES.tree("{subset}")),
        folder=moved(FILES.export_folder("{format}")),
        code=lambda wildcards: code_digest("export.job", f"export.{wildcards.format}"),
    message:
        "Exporting {wildcards.split} of ImageNetS{wildcards.subset} as {wildcards.format}, part {wildcards.job}"
    shell:
        "{params.run} --log {log:q} export-files --format {wildcards.format} --subset {wildcards.subset}"
        " --split {wildcards.split} --job {wildcards.job} --code {params.code} --tree {params.tree:q}"
        " --folder {params.folder:q} --receipt {output.receipt:q} --workers {threads}"


rule export_manifest:
    input:
        receipts=lambda wildcards: inputs.export_receipts(
            wildcards.format, int(wildcards.subset), wildcards.split, FILES
        ),
    output:
        FILES.export_manifest("{format}", "{subset}", "{split}"),
    log:
        FILES.log("export_manifest-{format}-{subset}-{split}"),
    wildcard_constraints:
        split="|".join(SPLITS),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        run=job_command,
        folder=moved(FILES.export_folder("{format}")),
        code=lambda wildcards: code_digest(
            "export.finish", f"export.{wildcards.format}"
        ),
    message:
        "Writing the manifest of {wildcards.split} of ImageNetS{wildcards.subset} as {wildcards.format}"
    shell:
        "{params.run} --log {log:q} export-manifest --format {wildcards.format}"
        " --receipts {input.receipts:q} --folder {params.folder:q}"


rule export_info:
    input:
        lambda wildcards: inputs.export_manifests(CONFIG, wildcards.format, FILES),
    output:
        FILES.export_info("{format}"),
    log:
        FILES.log("export_info-{format}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        run=job_command,
        folder=moved(FILES.export_folder("{format}")),
        code=lambda wildcards: code_digest(
            "export.finish", f"export.{wildcards.format}"
        ),
    message:
        "Describing all exports as {wildcards.format}"
    shell:
        "{params.run} --log {log:q} export-info --format {wildcards.format} --folder {params.folder:q}"


rule export:
    input:
        lambda wildcards: checked(inputs.exports, CONFIG, FILES),
