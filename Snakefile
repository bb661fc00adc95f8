from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/terminal.smk"


# The user's settings; workflow/schemas/config.schema.yaml describes each key.
configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/demo.smk"
include: "workflow/rules/source.smk"
include: "workflow/rules/images.smk"
include: "workflow/rules/annotations.smk"
include: "workflow/rules/tree.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/gallery.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/run.smk"


rule all:
    default_target: True
    input:
        # List every file so that a missing one triggers a rebuild.
        expand(rules.manifests.output, subset=CONFIG.subsets),
        expand(rules.companions.output, subset=CONFIG.subsets),
        expand(
            rules.labels.output.digests, subset=CONFIG.subsets, encoding=CONFIG.labels
        ),
        expand(rules.dataset.output, subset=CONFIG.subsets),
        [] if CONFIG.imagenet else rules.contact.input,
        rules.summary.output,
        rules.tidy.output,
