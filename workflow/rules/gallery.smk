# The gallery: pages that show the data set in a browser. Target: `gallery`. `all` makes none.


# The jobs share the classes of a subset by number.
rule gallery_pictures:
    input:
        dataset=FILES.dataset("{subset}"),
    output:
        receipt=FILES.gallery_receipt("{subset}", "{job}"),
    log:
        FILES.log("gallery_pictures-{subset}-{job}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        run=job_command,
        tree=moved(FILES.tree("{subset}")),
        folder=moved(FILES.gallery("{subset}")),
        per_class=CONFIG.gallery,
        splits=CONFIG.gallery_splits,
        code=code_digest("gallery.pictures"),
    message:
        "Making the pictures of the gallery of ImageNetS{wildcards.subset}, part {wildcards.job}"
    shell:
        "{params.run} --log {log:q} gallery-pictures --subset {wildcards.subset} --splits {params.splits}"
        " --per-class {params.per_class} --job {wildcards.job} --tree {params.tree:q}"
        " --folder {params.folder:q} --receipt {output.receipt:q}"


rule gallery_pages:
    input:
        receipts=lambda wildcards: inputs.gallery_receipts(int(wildcards.subset), FILES),
    output:
        FILES.gallery_start("{subset}"),
    log:
        FILES.log("gallery_pages-{subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        run=job_command,
        tree=moved(FILES.tree("{subset}")),
        folder=moved(FILES.gallery("{subset}")),
        code=code_digest("gallery.pages"),
    message:
        "Writing the pages of the gallery of ImageNetS{wildcards.subset}"
    shell:
        "{params.run} --log {log:q} gallery-pages --subset {wildcards.subset} --receipts {input.receipts:q}"
        " --tree {params.tree:q} --folder {params.folder:q}"


rule gallery:
    input:
        expand(rules.gallery_pages.output, subset=CONFIG.subsets),
