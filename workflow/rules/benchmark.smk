# The benchmark: predictions are matched, scored and submitted. Targets: `match`, `evaluate`, `submission`.
# The jobs depend on the digests of the folders that they read, not on the whole data set.


# The worked example: a model of your own would replace it.
rule grid_features:
    input:
        images=FILES.manifests(BENCHMARK.subset) / "{split}.sha256",
    output:
        receipt=FILES.features_receipt(BENCHMARK.subset, "{split}"),
    log:
        FILES.log(f"grid_features-{BENCHMARK.subset}-{{split}}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=2000,
    params:
        run=job_command,
        images=moved(FILES.tree(BENCHMARK.subset) / "{split}"),
        out=moved(FILES.features(BENCHMARK.subset, "{split}")),
        code=code_digest("benchmark.baseline.grid_features"),
    message:
        "Computing features of {wildcards.split}: colours and edges on a grid"
    shell:
        "{params.run} --log {log:q} grid-features --images {params.images:q} --out {params.out:q}"
        " --workers {threads}"


rule distance_match:
    input:
        masks=FILES.manifests(BENCHMARK.subset) / "train-semi-segmentation.sha256",
        train=FILES.features_receipt(BENCHMARK.subset, "train-semi"),
        features=FILES.features_receipt(BENCHMARK.subset, "{split}"),
    output:
        receipt=FILES.baseline_receipt(BENCHMARK.subset, "{split}"),
    log:
        FILES.log(f"distance_match-{BENCHMARK.subset}-{{split}}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(4000),
        runtime=growing(480),
        disk_mb=1000,
    params:
        run=job_command,
        subset=BENCHMARK.subset,
        tree=moved(FILES.tree(BENCHMARK.subset)),
        train=moved(FILES.features(BENCHMARK.subset, "train-semi")),
        features=moved(FILES.features(BENCHMARK.subset, "{split}")),
        out=moved(FILES.baseline(BENCHMARK.subset) / "{split}"),
        code=code_digest("benchmark.baseline.distance_matching"),
    message:
        "Predicting {wildcards.split} by distance matching"
    shell:
        "{params.run} --log {log:q} distance-match --subset {params.subset}"
        " --features-train {params.train:q} --masks {params.tree:q}/train-semi-segmentation"
        " --features {params.features:q} --images {params.tree:q}/{wildcards.split}"
        " --out {params.out:q} --workers {threads}"


rule match:
    input:
        truth=FILES.manifests(BENCHMARK.subset) / "validation-segmentation.sha256",
        predicted=inputs.baseline_receipts(BENCHMARK, FILES, "validation"),
    output:
        match=SCORES.match,
        info=report(
            SCORES.match_info,
            caption="../report/match.rst",
            category="Benchmark",
            labels={"what": "6 match of ids to classes"},
        ),
    log:
        FILES.log(f"match-{BENCHMARK.subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        run=job_command,
        subset=BENCHMARK.subset,
        tree=moved(FILES.tree(BENCHMARK.subset)),
        predictions=BENCHMARK.predictions or moved(FILES.baseline(BENCHMARK.subset)),
        seen=lambda wildcards: checked(
            inputs.predictions_state, BENCHMARK, "validation"
        ),
        code=code_digest("benchmark.scoring.matching"),
    message:
        "Matching ids to classes: {params.predictions}"
    shell:
        "{params.run} --log {log:q} match --subset {params.subset} --truth {params.tree:q}"
        " --predictions {params.predictions:q} --out {output.match:q} --workers {threads}"


rule evaluate:
    input:
        truth=FILES.manifests(BENCHMARK.subset) / "validation-segmentation.sha256",
        predicted=inputs.baseline_receipts(BENCHMARK, FILES, "validation"),
        match=lambda wildcards: checked(inputs.match_files, BENCHMARK, FILES),
    output:
        metrics=SCORES.metrics,
        figures=report(
            SCORES.figures,
            caption="../report/figures.rst",
            category="Benchmark",
            labels={"what": "1 figures"},
        ),
        table=report(
            SCORES.classes_table,
            caption="../report/classes_table.rst",
            category="Benchmark",
            labels={"what": "3 all classes, as a table"},
        ),
        plot=report(
            SCORES.classes_plot,
            caption="../report/classes.rst",
            category="Benchmark",
            labels={"what": "2 all classes, as a chart"},
        ),
        pdf=SCORES.classes_pdf,
        worst=report(
            SCORES.worst_images,
            caption="../report/examples.rst",
            category="Benchmark",
            labels={"what": "4 worst images"},
        ),
        best=report(
            SCORES.best_images,
            caption="../report/examples.rst",
            category="Benchmark",
            labels={"what": "5 best images"},
        ),
    log:
        FILES.log(f"evaluate-{BENCHMARK.subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        run=job_command,
        subset=BENCHMARK.subset,
        tree=moved(FILES.tree(BENCHMARK.subset)),
        predictions=BENCHMARK.predictions or moved(FILES.baseline(BENCHMARK.subset)),
        match=lambda wildcards, input: jobs.option("--match", input.match),
        seen=lambda wildcards: checked(
            inputs.predictions_state, BENCHMARK, "validation"
        ),
        code=code_digest("benchmark.scoring.evaluate"),
    message:
        "Scoring {params.predictions}"
    shell:
        "{params.run} --log {log:q} evaluate --subset {params.subset} --truth {params.tree:q}"
        " --predictions {params.predictions:q} {params.match} --out {output.metrics:q} --workers {threads}"


rule submission:
    input:
        images=FILES.manifests(BENCHMARK.subset) / "test.sha256",
        predicted=inputs.baseline_receipts(BENCHMARK, FILES, "test"),
        match=lambda wildcards: checked(inputs.match_files, BENCHMARK, FILES),
    output:
        zip=SCORES.submission,
    log:
        FILES.log(f"submission-{BENCHMARK.subset}"),
    conda:
        "../../envs/imagenet-s.yaml"
    threads: all_cores
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=job_command,
        subset=BENCHMARK.subset,
        protocol=BENCHMARK.protocol,
        tree=moved(FILES.tree(BENCHMARK.subset)),
        predictions=BENCHMARK.predictions or moved(FILES.baseline(BENCHMARK.subset)),
        match=lambda wildcards, input: jobs.option("--match", input.match),
        method=lambda wildcards: checked(jobs.method_json, BENCHMARK),
        seen=lambda wildcards: checked(inputs.predictions_state, BENCHMARK, "test"),
        code=code_digest("benchmark.submission.write"),
    message:
        "Writing and checking the submission of {params.predictions} ({params.protocol})"
    shell:
        "{params.run} --log {log:q} submit --subset {params.subset} --protocol {params.protocol}"
        " --predictions {params.predictions:q} --images {params.tree:q}/test {params.match}"
        " --method <(echo {params.method:q}) --out {output.zip:q} --workers {threads}"
