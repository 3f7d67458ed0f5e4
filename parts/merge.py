import pandas as pd, yaml, re

P = "/work/main/parts/"
D = "/work/main/data/"
import os


def cat(n):
    fs = [P + f"d{i}_{n}.csv" for i in (1, 2, 3) if os.path.exists(P + f"d{i}_{n}.csv")]
    return pd.concat([pd.read_csv(f, dtype=str, keep_default_na=False) for f in fs], ignore_index=True)


s = cat("sources")
s = s.drop_duplicates("source_id").sort_values("source_id")
s.to_csv(D + "sources.csv", index=False, lineterminator="\n")
sub = cat("subjects").drop_duplicates("subject")
sub.to_csv(D + "subjects.csv", index=False, lineterminator="\n")
f = cat("facts")
f = f.drop_duplicates(["subject", "quantity", "condition", "source_id", "as_of"])
order = {x: i for i, x in enumerate(sub["subject"])}
f["o"] = f["subject"].map(order).fillna(9999)
f = f.sort_values("o", kind="stable").drop(columns="o")
f.to_csv(D + "facts.csv", index=False, lineterminator="\n")
base = (
    open(D + "datapackage.yaml").read().split("  # from here: deals, sites, regions and assumptions")[0].rstrip() + "\n"
)
have = set(yaml.safe_load(base)["quantities"])
lines = ["  # from here: deals, sites, regions and assumptions"]
for i in (1, 2, 3):
    if os.path.exists(P + f"d{i}_quantities.yaml"):
        for l in open(P + f"d{i}_quantities.yaml"):
            m = re.match(r"^\s*([a-z0-9_]+):", l)
            if m and m[1] not in have:
                lines.append("  " + l.strip())
                have.add(m[1])
open(D + "datapackage.yaml", "w").write(base + "\n".join(lines) + "\n")
print(len(s), len(sub), len(f), len(have))
