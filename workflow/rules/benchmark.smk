# The benchmark: predictions scored and submitted. Targets of their own: `match`, `evaluate`, `submission`.
# What they depend on is what they read: the digests of a folder's files, not of the whole data set.


# The worked example: what a model of yours would do.
rule grid_features:
    input:
        images=f"{TREE}/manifests/{{split}}.sha256",
    output:
        receipt=f"{WORK}/features/{BENCHMARK.subset}/{{split}}.json",
    log:
        f"{LOGS}/grid_features-{BENCHMARK.subset}-{{split}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: 2
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=2000,
    params:
        run=imagenet_s,
        images=lambda wildcards, input: tree_of(input.images) / wildcards.split,
        out=lambda wildcards, output: Path(output.receipt).with_suffix(""),
        code=code_digest("benchmark.baseline.grid_features"),
    message:
        "Features of {wildcards.split}: colours and edges on a grid"
    shell:
        "{params.run} --log {log:q} grid-features --images {params.images:q} --out {params.out:q}"
        " --workers {threads}"


rule distance_match:
    input:
        masks=f"{TREE}/manifests/train-semi-segmentation.sha256",
        train=f"{WORK}/features/{BENCHMARK.subset}/train-semi.json",
        features=f"{WORK}/features/{BENCHMARK.subset}/{{split}}.json",
    output:
        receipt=f"{RESULTS}/baseline/{{split}}.json",
    log:
        f"{LOGS}/distance_match-{BENCHMARK.subset}-{{split}}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: many_cores()
    resources:
        mem_mb=growing(4000),
        runtime=growing(480),
        disk_mb=1000,
    params:
        run=imagenet_s,
        subset=BENCHMARK.subset,
        tree=lambda wildcards, input: tree_of(input.masks),
        train=lambda wildcards, input: Path(input.train).with_suffix(""),
        features=lambda wildcards, input: Path(input.features).with_suffix(""),
        out=lambda wildcards, output: Path(output.receipt).with_suffix(""),
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
        truth=f"{TREE}/manifests/validation-segmentation.sha256",
        predicted=predicted("validation"),
    output:
        match=f"{RESULTS}/match.json",
        info=f"{RESULTS}/match-info.json",
    log:
        f"{LOGS}/match-{BENCHMARK.subset}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: many_cores()
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        run=imagenet_s,
        subset=BENCHMARK.subset,
        tree=lambda wildcards, input: tree_of(input.truth),
        predictions=predictions_of,
        seen=predictions_seen("validation"),
        code=code_digest("benchmark.scoring.matching"),
    message:
        "Matching ids to classes: {params.predictions}"
    shell:
        "{params.run} --log {log:q} match --subset {params.subset} --truth {params.tree:q}"
        " --predictions {params.predictions:q} --out {output.match:q} --workers {threads}"


rule evaluate:
    input:
        truth=f"{TREE}/manifests/validation-segmentation.sha256",
        predicted=predicted("validation"),
        match=matched,
    output:
        metrics=f"{RESULTS}/metrics.json",
        table=report(
            f"{RESULTS}/metrics-classes.csv",
            category="Benchmark",
            labels={"what": "IoU of each class"},
        ),
        plot=report(
            f"{RESULTS}/metrics-classes.png",
            category="Benchmark",
            labels={"what": "IoU of each class, drawn"},
        ),
        worst=report(
            f"{RESULTS}/metrics-worst.png",
            category="Benchmark",
            labels={"what": "worst images"},
        ),
        best=report(
            f"{RESULTS}/metrics-best.png",
            category="Benchmark",
            labels={"what": "best images"},
        ),
    log:
        f"{LOGS}/evaluate-{BENCHMARK.subset}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: many_cores()
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        run=imagenet_s,
        subset=BENCHMARK.subset,
        tree=lambda wildcards, input: tree_of(input.truth),
        predictions=predictions_of,
        match=matched_by,
        seen=predictions_seen("validation"),
        code=code_digest("benchmark.scoring.evaluate"),
    message:
        "Scoring {params.predictions}"
    shell:
        "{params.run} --log {log:q} evaluate --subset {params.subset} --truth {params.tree:q}"
        " --predictions {params.predictions:q} {params.match} --out {output.metrics:q} --workers {threads}"


rule submission:
    input:
        images=f"{TREE}/manifests/test.sha256",
        predicted=predicted("test"),
        match=matched,
    output:
        zip=f"{RESULTS}/submission.zip",
    log:
        f"{LOGS}/submission-{BENCHMARK.subset}.log",
    conda:
        "../../envs/imagenet-s.yaml"
    threads: many_cores()
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
        disk_mb=1000,
    params:
        run=imagenet_s,
        subset=BENCHMARK.subset,
        protocol=BENCHMARK.protocol,
        tree=lambda wildcards, input: tree_of(input.images),
        predictions=predictions_of,
        match=matched_by,
        method=method_of,
        seen=predictions_seen("test"),
        code=code_digest("benchmark.submission.write"),
    message:
        "Writing and checking the submission of {params.predictions} ({params.protocol})"
    shell:
        "{params.run} --log {log:q} submit --subset {params.subset} --protocol {params.protocol}"
        " --predictions {params.predictions:q} --images {params.tree:q}/test {params.match}"
        " --method <(echo {params.method:q}) --out {output.zip:q} --workers {threads}"
