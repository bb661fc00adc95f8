"""Pictures and tables for people: contact sheets, and what Snakemake shows in its report."""
