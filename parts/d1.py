import csv, re

F = "/work/shared/facts/"
OUT = "/work/main/parts/"
S = {}
SUB = []
FA = []


def src(i, title, pub, date, url, kind, access, note=""):
    S[i] = [i, title, pub, date, url, kind, access, note]


ASOF = {}


def f(sub, q, cond, val, src_id, as_of=None, low="", high="", rk="", pref="yes", note="", unit=None, kind=None):
    if val in ("", None) and low in ("", None):
        return
    rk = rk or ("min_max" if low not in ("", None) else "")
    FA.append(
        [
            sub,
            q,
            cond,
            val,
            low,
            high,
            rk,
            unit or UNITS[q],
            as_of if as_of is not None else S[src_id][3],
            kind or S[src_id][5],
            src_id,
            pref,
            note,
        ]
    )


import yaml

UNITS = {k: v["unit"] for k, v in yaml.safe_load(open("/work/main/data/datapackage.yaml"))["quantities"].items()}
UNITS["convention_exception"] = "rule"
src(
    "assumption",
    "Assumption of this project",
    "Gigafleet",
    "2026-11",
    "",
    "assumption",
    "own",
    "Reason in the note of each figure",
)
src(
    "inferencex-gpu-keys-2026",
    "InferenceX constants: power and cost of GPUs, newer edition",
    "SemiAnalysis",
    "2026-08",
    "https://github.com/SemiAnalysisAI/InferenceX-app",
    "analyst",
    "second-hand",
    "File packages/constants/src/gpu-keys.ts, read through a public fork; the figures are those of its AI Cloud TCO model",
)
src(
    "inferencex-constants-2026-04",
    "InferenceX constants: power and cost of GPUs, edition of April 2026",
    "SemiAnalysis",
    "2026-04",
    "https://github.com/SemiAnalysisAI/InferenceX-app",
    "analyst",
    "second-hand",
    "Commit 77ca49a6; power is at utility level and contains cooling",
)
src(
    "inferencex-power-backfill-2026-09",
    "InferenceX: telemetry of GPU power",
    "SemiAnalysis",
    "2026-09",
    "https://github.com/SemiAnalysisAI/InferenceX-app",
    "measured",
    "second-hand",
)
src(
    "inferencex-vr-blog-2026-07",
    "Vera Rubin NVL72 against GB200 NVL72 in inference",
    "SemiAnalysis",
    "2026-07-23",
    "https://inferencex.semianalysis.com/blog/vera-rubin-nvl72-vs-gb200-nvl72-inference",
    "analyst",
    "second-hand",
)
src(
    "semianalysis-tco-2026-09",
    "AI Cloud TCO model and rental price index",
    "SemiAnalysis",
    "2026-09",
    "https://newsletter.semianalysis.com/",
    "analyst",
    "second-hand",
    "Paywalled; figures through secondary copies, early-2026 edition beside it",
)
src(
    "semianalysis-inferencemax-2025-10",
    "InferenceMAX: open source inference benchmarking",
    "SemiAnalysis",
    "2025-10-09",
    "https://inferencex.semianalysis.com/blog/inferencemax-open-source-inference-benchmarking",
    "analyst",
    "second-hand",
)
src(
    "semianalysis-mi455x-2026-07",
    "AMD Advancing AI 2026",
    "SemiAnalysis",
    "2026-07-25",
    "https://newsletter.semianalysis.com/p/can-amd-break-the-cuda-moat-amd-advancing",
    "analyst",
    "second-hand",
)
src(
    "semianalysis-rubin-2026-02",
    "Rubin power and rack figures",
    "SemiAnalysis",
    "2026-02",
    "https://newsletter.semianalysis.com/",
    "press",
    "second-hand",
)
src(
    "semianalysis-jalapeno-2026-09",
    "OpenAI Jalapeno",
    "SemiAnalysis",
    "2026-09",
    "https://newsletter.semianalysis.com/",
    "press",
    "second-hand",
)
src(
    "epoch-datacenter-cost-2026",
    "What a gigawatt of AI data center costs",
    "Epoch AI",
    "2026-05-14",
    "https://epoch.ai/data-insights/ai-datacenter-cost-breakdown",
    "analyst",
    "second-hand",
)
src(
    "epoch-chips-2025-12",
    "Data on machine learning hardware",
    "Epoch AI",
    "2025-12",
    "https://epoch.ai/data/machine-learning-hardware",
    "analyst",
    "second-hand",
)
src(
    "morgan-stanley-rack-prices-2026-05",
    "Rack price estimates",
    "Morgan Stanley",
    "2026-05",
    "",
    "analyst",
    "second-hand",
    "Through press",
)
src("mercatus-prices-2026-05", "Server and GPU price survey", "Mercatus", "2026-05-04", "", "analyst", "second-hand")
src("gpu-fm-prices-2026-02", "GPU and server prices", "gpu.fm", "2026-02-13", "", "analyst", "second-hand")
src(
    "intuitionlabs-prices-2026",
    "GPU price survey, first half of 2026",
    "IntuitionLabs",
    "2026",
    "",
    "analyst",
    "second-hand",
)
src(
    "price-sheets-2026-09",
    "Survey of cloud price sheets",
    "various cloud providers",
    "2026-09-19",
    "",
    "press",
    "second-hand",
    "On-demand price sheets re-read on that day by a public survey",
)
src("aimultiple-medians-2026-07", "GPU rental medians", "AIMultiple", "2026-07", "", "analyst", "second-hand")
src("hsbc-amd-2025-09", "AMD estimates", "HSBC", "2025-09", "", "analyst", "second-hand", "Through press")
src(
    "gpu-price-reports-2026",
    "Reverse-engineered and channel prices of AMD accelerators",
    "various analysts",
    "2026",
    "",
    "press",
    "unverified",
    "Weak: texts of unclear origin",
)
src(
    "helios-price-reports-2026",
    "Reports on the price of a Helios rack",
    "various press",
    "2026",
    "",
    "press",
    "unverified",
    "Rumor: AMD publishes no price",
)
src(
    "amd-openai-8k-2025-10",
    "Form 8-K, OpenAI agreement and warrant",
    "AMD",
    "2025-10-06",
    "https://ir.amd.com/financial-information/sec-filings/content/0001193125-25-230895/d28189d8k.htm",
    "filing",
    "second-hand",
)
src(
    "bernstein-gw-cost-2025-10",
    "How much does a gigawatt of data center capacity cost?",
    "Bernstein, through Investing.com",
    "2025-10-29",
    "https://ng.investing.com/news/stock-market-news/how-much-does-a-gw-of-data-center-capacity-actually-cost-2169144",
    "analyst",
    "second-hand",
)
src(
    "bofa-amd-call-2025-10",
    "Notes on a call with AMD management",
    "BofA",
    "2025-10-09",
    "https://rl.huuu.biz/r/amd_fundamentals/comments/1o7078v/wallstengine_arya_boa_earlier_today_we_hosted",
    "analyst",
    "second-hand",
)
src(
    "jpmorgan-amd-2025-10",
    "AMD and OpenAI revenue estimates",
    "JPMorgan",
    "2025-10-28",
    "https://reddit.wdas.io/r/amd_fundamentals/comments/1on5kae/techfund1_sur_jpmorgan_amd_can_make_3035_billion",
    "analyst",
    "second-hand",
)
W = "https://www.amd.com/content/dam/amd/en/documents/"
src(
    "amd-cdna2-white-paper",
    "CDNA 2 architecture white paper",
    "AMD",
    "2021-11",
    W + "instinct-business-docs/white-papers/amd-cdna2-white-paper.pdf",
    "datasheet",
    "read",
)
src(
    "amd-cdna3-white-paper",
    "CDNA 3 architecture white paper",
    "AMD",
    "2023-12",
    W + "instinct-tech-docs/white-papers/amd-cdna-3-white-paper.pdf",
    "datasheet",
    "read",
)
src(
    "amd-cdna4-white-paper",
    "CDNA 4 architecture white paper",
    "AMD",
    "2025-06",
    W + "instinct-tech-docs/white-papers/amd-cdna-4-architecture-whitepaper.pdf",
    "datasheet",
    "read",
)
src(
    "amd-cdna5-white-paper-2026-07",
    "CDNA 5 architecture white paper",
    "AMD",
    "2026-07",
    "https://www.amd.com/content/dam/amd/en/documents/products/technologies/cdna/amd-cdna5-whitepaper.pdf",
    "datasheet",
    "read",
)
src(
    "amd-mi430x-page-2026",
    "Instinct MI430X product page",
    "AMD",
    "2026",
    "https://www.amd.com/en/products/accelerators/instinct/mi400/mi430x.html",
    "vendor-announcement",
    "second-hand",
)
src("amd-mi430x-blog-2025-11", "MI430X announcement", "AMD", "2025-11", "", "vendor-announcement", "second-hand")
src(
    "amd-ces-2026-01",
    "AMD at CES 2026",
    "AMD",
    "2026-01-05",
    "https://www.amd.com/en/newsroom/press-releases/2026-1-5-amd-and-its-partners-share-their-vision-for-ai-ev.html",
    "vendor-announcement",
    "second-hand",
)
src(
    "amd-mi350-page-2025",
    "Instinct MI350 series page",
    "AMD",
    "2025-06",
    "https://www.amd.com/en/products/accelerators/instinct/mi350.html",
    "vendor-announcement",
    "second-hand",
)
src(
    "amd-mi355x-slides-2025", "Slides on MI355X at ISC 2025", "AMD", "2025-06", "", "vendor-announcement", "second-hand"
)
src("amd-mi455x-page-2026", "Instinct MI455X product page", "AMD", "2026-08", "", "vendor-announcement", "second-hand")
src(
    "amd-financial-analyst-day-2025-11",
    "Financial Analyst Day",
    "AMD",
    "2025-11-11",
    "https://ir.amd.com/news-events/press-releases/detail/1266/amd-unveils-strategy-to-lead-the-1-trillion-compute-market-and-accelerate-next-phase-of-growth",
    "vendor-announcement",
    "second-hand",
)
src(
    "servethehome-mi455x-2026-07",
    "AMD Instinct MI455X deep dive",
    "ServeTheHome",
    "2026-07",
    "https://www.servethehome.com/amd-instinct-mi455x-deep-dive-cdna-5-marks-the-next-era-of-instinct/",
    "press",
    "second-hand",
)
src(
    "oracle-mi355x-2025-06",
    "Oracle and AMD collaborate on large-scale AI",
    "Oracle",
    "2025-06-12",
    "https://www.oracle.com/news/announcement/oracle-and-amd-collaborate-to-help-customers-deliver-breakthrough-performance-for-large-scale-ai-and-agentic-workloads-2025-06-12/",
    "vendor-announcement",
    "second-hand",
)
NV = "https://www.nvidia.com/en-us/data-center/"
NVD = {
    "A100": ("a100/", "2020-11"),
    "H100": ("h100/", "2022-10"),
    "H200": ("h200/", "2024-06"),
    "GH200": ("grace-hopper-superchip/", "2024-06"),
    "HGX": ("hgx/", "2025-08"),
    "GB200": ("gb200-nvl72/", "2025-02"),
    "GB300": ("gb300-nvl72/", "2025-08"),
    "DGX-A100": ("dgx-a100/", "2020-11"),
    "DGX-H100": ("dgx-h100/", "2022-10"),
    "DGX-H200": ("dgx-h200/", "2024-06"),
    "DGX-B200": ("dgx-b200/", "2024-11"),
    "DGX-B300": ("dgx-b300/", "2025-08"),
}
for k, (u, d) in NVD.items():
    src(
        "nvidia-" + k.lower(),
        f"{k} page and datasheet",
        "NVIDIA",
        d,
        NV + u,
        "datasheet",
        "second-hand",
        "Through copies made by others that quote the page; undated, the product's release stands for its date",
    )
src(
    "nvidia-vera-rubin-2026",
    "Vera Rubin NVL72 page",
    "NVIDIA",
    "2026-09",
    NV + "vera-rubin-nvl72/",
    "vendor-announcement",
    "second-hand",
    "Marked preliminary by NVIDIA",
)
src(
    "nvidia-hgx-rubin-2026",
    "HGX Rubin NVL8 sheet",
    "NVIDIA",
    "2026",
    NV + "vera-rubin-nvl72/",
    "vendor-announcement",
    "second-hand",
)
src(
    "nvidia-blackwell-ultra-blog-2025",
    "Inside Blackwell Ultra",
    "NVIDIA",
    "2025",
    "",
    "vendor-announcement",
    "second-hand",
)
src("nvidia-gb200-sheet-2024", "GB200 NVL72 sheet of 2024", "NVIDIA", "2024", "", "datasheet", "second-hand")
src(
    "nvidia-rubin-cpx-2025-09",
    "NVIDIA unveils Rubin CPX",
    "NVIDIA",
    "2025-09",
    "https://nvidianews.nvidia.com/news/nvidia-unveils-rubin-cpx-a-new-class-of-gpu-designed-for-massive-context-inference",
    "vendor-announcement",
    "second-hand",
)
src(
    "rubin-ultra-press-2026",
    "Rubin Ultra and Kyber racks",
    "Tom's Hardware",
    "2026",
    "https://www.tomshardware.com/pc-components/gpus/nvidia-shows-off-rubin-ultra-with-600-000-watt-kyber-racks-and-infrastructure-coming-in-2027",
    "press",
    "second-hand",
)
src(
    "stas00-2026-08",
    "Machine learning engineering tables",
    "Stas Bekman",
    "2026-08-22",
    "https://github.com/stas00/ml-engineering",
    "analyst",
    "second-hand",
    "Commit 744d01e1",
)
src("lenovo-hgx-b300", "HGX B300 product guide", "Lenovo", "2025", "", "datasheet", "second-hand")
src(
    "lenovo-gb300-lp2357",
    "GB300 NVL72 product guide LP2357",
    "Lenovo",
    "2025",
    "https://lenovopress.lenovo.com/lp2357-lenovo-nvidia-gb300-nvl72-rack-scale-ai",
    "datasheet",
    "second-hand",
)
src("lenovo-hgx-b200", "HGX B200 server guides", "Lenovo and Dell", "2025", "", "datasheet", "second-hand")
src(
    "hpe-gb200-nvl72",
    "QuickSpecs of the GB200 NVL72",
    "HPE",
    "2025",
    "https://www.hpe.com/nl/en/collaterals/collateral.a50009224enw.html",
    "datasheet",
    "second-hand",
)
src("nvidia-gb200-press", "Press on GB200 power", "various press", "2024", "", "press", "second-hand")
src("bofa-rack-power-2026", "Build-up of rack power", "BofA", "2026", "", "analyst", "second-hand")
src("register-rubin-2026", "Estimate of Vera Rubin rack power", "The Register", "2026", "", "press", "second-hand")
src(
    "compal-rubin-nvl8-2026-06",
    "HGX Rubin NVL8 system power",
    "Compal",
    "2026-06-02",
    "https://ngtimes.org/2026/06/02/vera-rubin-power-story-moves-to-racks-and-cooling",
    "press",
    "second-hand",
)
src(
    "google-tpu-docs",
    "Cloud TPU documentation",
    "Google",
    "2026",
    "https://docs.cloud.google.com/tpu/docs",
    "datasheet",
    "second-hand",
)
src(
    "aws-neuron-docs",
    "Neuron hardware documentation",
    "AWS",
    "2026-10-05",
    "https://awsdocs-neuron.readthedocs-hosted.com/en/latest/about-neuron/arch/",
    "datasheet",
    "second-hand",
)
src(
    "intel-gaudi3",
    "Gaudi 3 white paper",
    "Intel",
    "2024-09",
    "https://www.intel.com/content/www/us/en/content-details/817486/intel-gaudi-3-ai-accelerator-white-paper.html",
    "datasheet",
    "second-hand",
)
# accelerators
A = {
    "MI250X": "MI250X",
    "MI300A": "MI300A",
    "MI300X": "MI300X",
    "MI325X": "MI325X",
    "MI350X": "MI350X",
    "MI355X": "MI355X",
    "MI430X": "MI430X",
    "MI440X": "MI440X",
    "MI455X (MI450 series)": "MI455X",
    "MI500 series": "MI500",
    "A100 80GB SXM": "A100",
    "H100 SXM": "H100",
    "H200 SXM": "H200",
    "GH200 (Grace Hopper, 144GB HBM3e)": "GH200",
    "B200 (HGX)": "B200",
    "GB200 (per GPU in NVL72)": "GB200",
    "B300 (HGX, Blackwell Ultra)": "B300",
    "GB300 (per GPU in NVL72, Blackwell Ultra)": "GB300",
    "Rubin R200 (chip / HGX NVL8 spec)": "R200",
    "Rubin VR200 (per GPU in Vera Rubin NVL72, DSX/MaxLPS configuration)": "VR200",
    "Rubin CPX": "RubinCPX",
    "Rubin Ultra (original 4-die package)": "RubinUltra",
    "TPU v5p": "TPUv5p",
    "TPU v6e (Trillium)": "TPUv6e",
    "TPU v7 Ironwood (TPU7x)": "TPUv7",
    "Trainium2": "Trainium2",
    "Trainium3": "Trainium3",
    "Gaudi 3": "Gaudi3",
    "Jalapeno (B0 stepping)": "Jalapeno",
}
NAMES = {
    "GH200": "GH200 144 GB",
    "B200": "HGX B200",
    "GB200": "GB200 (one GPU)",
    "B300": "HGX B300",
    "GB300": "GB300 (one GPU)",
    "R200": "Rubin R200",
    "VR200": "Rubin VR200 (power-managed)",
    "RubinCPX": "Rubin CPX",
    "RubinUltra": "Rubin Ultra (four dies)",
    "TPUv5p": "TPU v5p",
    "TPUv6e": "TPU v6e Trillium",
    "TPUv7": "TPU v7 Ironwood",
    "A100": "A100 80 GB SXM",
    "H100": "H100 SXM",
    "H200": "H200 SXM",
    "Gaudi3": "Gaudi 3",
    "Jalapeno": "Jalapeno",
}
ALIAS = {
    "MI455X": "MI450;MI450X;MI450 series",
    "R200": "Rubin",
    "VR200": "Vera Rubin",
    "TPUv7": "Ironwood;TPU7x",
    "TPUv6e": "Trillium",
    "A100": "A100 80GB;A100 SXM",
    "MI500": "MI500 series",
    "H100": "H100 SXM",
    "H200": "H200 SXM",
    "B200": "HGX B200",
    "B300": "HGX B300",
    "GH200": "Grace Hopper",
    "GB200": "GB200 NVL72 GPU",
}
SRC = {
    "MI250X": "amd-cdna2-white-paper",
    "MI300A": "amd-cdna3-white-paper",
    "MI300X": "amd-cdna3-white-paper",
    "MI325X": "amd-cdna3-white-paper",
    "MI350X": "amd-cdna4-white-paper",
    "MI355X": "amd-cdna4-white-paper",
    "MI430X": "amd-mi430x-page-2026",
    "MI440X": "amd-ces-2026-01",
    "MI455X": "amd-cdna5-white-paper-2026-07",
    "MI500": "amd-ces-2026-01",
    "A100": "nvidia-a100",
    "H100": "nvidia-h100",
    "H200": "nvidia-h200",
    "GH200": "nvidia-gh200",
    "B200": "nvidia-hgx",
    "B300": "nvidia-hgx",
    "GB200": "nvidia-gb200",
    "GB300": "nvidia-gb300",
    "R200": "nvidia-vera-rubin-2026",
    "VR200": "nvidia-vera-rubin-2026",
    "RubinCPX": "nvidia-rubin-cpx-2025-09",
    "RubinUltra": "rubin-ultra-press-2026",
    "TPUv5p": "google-tpu-docs",
    "TPUv6e": "google-tpu-docs",
    "TPUv7": "google-tpu-docs",
    "Trainium2": "aws-neuron-docs",
    "Trainium3": "aws-neuron-docs",
    "Gaudi3": "intel-gaudi3",
    "Jalapeno": "semianalysis-jalapeno-2026-09",
}
DATE = {
    "MI325X": "2024-10",
    "B200": "2024-11",
    "A100": "2020-11",
    "TPUv5p": "2023-12",
    "TPUv6e": "2024-12",
    "TPUv7": "2025-11",
}
NOTE = {
    "MI455X": "MI450 is the name of the series; the product is MI455X",
    "VR200": "Operating point of the rack at scale; the same silicon as R200",
    "RubinCPX": "Reported canceled in March 2026; NVIDIA has not confirmed",
    "RubinUltra": "The four-die package was reported canceled in June 2026; NVIDIA has not confirmed",
    "MI430X": "A part for FP64, not a smaller MI455X",
    "GH200": "TDP is that of the module with its CPU",
    "MI250X": "One package is two logical GPUs",
}
MEM = {
    ("A100", "fp64_tflops"),
    ("GH200", "tdp_w"),
    ("Gaudi3", "tdp_w"),
    ("TPUv5p", "scale_up_gb_s"),
    ("H100", "int8_tops"),
    ("H200", "int8_tops"),
    ("GH200", "int8_tops"),
    ("H100", "tf32_tflops"),
    ("H200", "tf32_tflops"),
    ("GH200", "tf32_tflops"),
    ("B200", "tf32_tflops"),
    ("GB200", "tf32_tflops"),
    ("MI250X", "transistors_bn"),
    ("TPUv6e", "scale_up_gb_s"),
}
COL = {
    "memory_bw_tb_s": ("memory_tb_s", "chip"),
    "pcie_gen": ("pcie_gen", "chip"),
    "transistors_bn": ("transistors_bn", "chip"),
    "scale_up_gb_s": ("scale_up_gb_s", "bidirectional"),
    "scale_out_gb_s": ("scale_out_gb_s", "bidirectional"),
    "scale_up_domain": ("scale_up_domain", "system"),
    "int8_tops": ("int8_tops", "dense"),
}
for q in "fp64 fp32 tf32 bf16 fp16 fp8 fp6 fp4".split():
    COL[q + "_tflops"] = (q + "_tflops", "dense")
rows = list(csv.DictReader(open(F + "accelerators.csv")))
CONTESTED = {
    ("MI455X", "memory_tb_s"): "Launch figure of the white paper; it replaces the figure of 2025",
    ("MI430X", "memory_tb_s"): "Newer: the product page",
    ("MI455X", "fp8_tflops"): "AMD's own dense row; instruction timing gives the same rate without sparsity",
    ("MI455X", "fp4_tflops"): "AMD's own dense row; instruction timing gives the same rate without sparsity",
    ("R200", "fp8_tflops"): "NVIDIA labels the HGX sheet dense: 140 PFLOP/s for 8",
    ("R200", "fp4_tflops"): "The figure for training, which is dense; 50 is the headline with sparsity",
    ("GB200", "fp64_tflops"): "The current page, newer than the sheet of 2024",
    ("GB200", "fp32_tflops"): "The current page, newer than the sheet of 2024",
    ("B300", "fp4_tflops"): "NVIDIA's HGX page: 108 PFLOP/s for 8",
    ("MI355X", "fp4_tflops"): "Data sheet: sparsity does not apply to FP4",
    ("MI455X", "fp64_tflops"): "The vendor's page; some press wrote that there is none",
    ("MI455X", "scale_out_gb_s"): "White paper, both directions; the same links were counted one way in 2025",
    ("Gaudi3", "bf16_tflops"): "At the clock of the parts that are sold, 1.6 GHz",
    ("MI355X", "fp8_tflops"): "",
    ("GB300", "fp4_tflops"): "NVIDIA's page for the rack: 1,080 PFLOP/s for 72",
}
for r in rows:
    a = A[r["name"]]
    v = r["vendor"]
    nm = NAMES.get(a, a)
    full = {"AMD": "AMD Instinct ", "NVIDIA": "NVIDIA ", "Google": "Google ", "AWS": "AWS ", "Intel": "Intel "}.get(
        v, "OpenAI "
    ) + nm
    status = "cancelled" if a in () else r["status"]
    SUB.append(
        [
            a,
            "accelerator",
            full,
            ALIAS.get(a, ""),
            v,
            "",
            r["architecture"],
            r["process_node"],
            r["release"],
            status,
            r["memory_type"],
            r["scale_up_link"],
            "",
            "",
            NOTE.get(a, ""),
        ]
    )
    s = SRC[a]
    d = DATE.get(a)
    for c, (q, cond) in COL.items():
        x = r[c]
        if not x:
            continue
        k = {}
        note = CONTESTED.get((a, q), "")
        if (a, q) in MEM:
            f(a, q, cond, x, "assumption", d or S[s][3], note="Remembered datasheet value, not re-read")
            continue
        if a == "MI455X" and q in ("fp64_tflops", "int8_tops"):
            f(a, q, cond, x, "amd-mi455x-page-2026", note=note)
            continue
        if a == "Gaudi3" and q in ("bf16_tflops", "fp8_tflops"):
            f(a, q, cond, x, "stas00-2026-08", note="At the clock of the parts that are sold, 1.6 GHz")
            continue
        f(a, q, cond, x, s, d, note=note)
    if r["memory_gb"]:
        f(a, "memory_gb", "usable" if a in ("B200", "GB200") else "physical", r["memory_gb"], s, d)
for a in ("B200", "GB200"):
    f(a, "memory_gb", "physical", 192, "stas00-2026-08", note="All stacks; less is usable")
f(
    "B300",
    "memory_gb",
    "usable",
    262.5,
    "nvidia-dgx-b300",
    low=262.5,
    high=270,
    note="2.1 TB in a DGX over 8; providers show up to 270 GB",
)
f("GB300", "memory_gb", "usable", 278, "stas00-2026-08", low=278, high=279)
f("H200", "memory_gb", "usable", 141, "nvidia-h200")
FA[:] = [x for x in FA if not (x[0] == "H200" and x[1] == "memory_gb")]
f("H200", "memory_gb", "usable", 141, "nvidia-h200")
f("H200", "memory_gb", "physical", 144, "stas00-2026-08", note="All stacks; 141 GB are usable")


# disagreements
def alt(a, q, cond, val, s, note, **k):
    f(a, q, cond, val, s, pref="no", note=note, **k)


alt("MI455X", "memory_tb_s", "chip", 19.6, "amd-financial-analyst-day-2025-11", "Figure of 2025, before launch")
alt("MI455X", "fp8_tflops", "dense", 10066, "stas00-2026-08", "Taken for sparse by this table and halved")
alt("MI455X", "fp4_tflops", "dense", 20133, "stas00-2026-08", "Taken for sparse by this table and halved")
alt("R200", "fp8_tflops", "dense", 8750, "stas00-2026-08", "Halved by this table")
alt("R200", "fp4_tflops", "dense", 25000, "stas00-2026-08", "Half of the headline of 50")
f(
    "R200",
    "fp4_tflops",
    "headline",
    50000,
    "nvidia-vera-rubin-2026",
    note="For inference, on a basis with sparsity or compression",
)
f(
    "VR200",
    "fp4_tflops",
    "headline",
    50000,
    "nvidia-vera-rubin-2026",
    note="For inference, on a basis with sparsity or compression",
)
f("MI355X", "fp4_tflops", "headline", 20100, "amd-mi355x-slides-2025", note="Early slides; twice the dense figure")
f("RubinCPX", "fp4_tflops", "headline", 30000, "nvidia-rubin-cpx-2025-09", note="Vendor basis, not dense")
f("RubinUltra", "fp4_tflops", "headline", 100000, "rubin-ultra-press-2026", note="Vendor basis, not dense")
f("H100", "fp8_tflops", "sparse", 3958, "nvidia-h100")
f("H100", "bf16_tflops", "sparse", 1979, "nvidia-h100")
alt("GB200", "fp64_tflops", "dense", 45, "nvidia-gb200-sheet-2024", "Older sheet")
alt("GB200", "fp32_tflops", "dense", 90, "nvidia-gb200-sheet-2024", "Older sheet")
alt("B300", "fp4_tflops", "dense", 12600, "stas00-2026-08", "Another reading")
alt("MI430X", "memory_tb_s", "chip", 19.6, "amd-mi430x-blog-2025-11", "Older announcement")
alt(
    "MI455X",
    "scale_out_gb_s",
    "bidirectional",
    300,
    "amd-financial-analyst-day-2025-11",
    "The same links, counted one way",
)
alt("Gaudi3", "bf16_tflops", "dense", 1835, "intel-gaudi3", "At a clock of 1.75 GHz, which shipped parts do not run")
alt("B200", "memory_tb_s", "chip", 7.7, "lenovo-hgx-b200", "As OEM sheets print it")
for x in FA:
    if x[:3] == ["B200", "memory_tb_s", "chip"] and x[11] == "yes":
        x[12] = "The vendor's own page"
# TDP
for r in rows:
    a = A[r["name"]]
    x = r["tdp_w"]
    if not x or a in ("MI455X", "B300", "GB300", "R200", "VR200", "GB200", "B200"):
        continue
    s = SRC[a]
    lo, hi = ("", "")
    if r["tdp_range_w"]:
        lo, hi = r["tdp_range_w"].split("-")
    cond = "module" if a == "GH200" else "chip"
    if a in ("Trainium2", "Trainium3", "TPUv7"):
        f(a, "tdp_w", cond, x, "epoch-chips-2025-12", note="An estimate; the vendor publishes none")
    elif a in ("GH200", "Gaudi3"):
        f(a, "tdp_w", cond, x, "assumption", S[s][3], low=lo, high=hi, note="Remembered datasheet value, not re-read")
    else:
        f(a, "tdp_w", cond, x, s, DATE.get(a), low=lo, high=hi)
f(
    "MI455X",
    "tdp_w",
    "chip",
    "",
    "servethehome-mi455x-2026-07",
    low=2000,
    high=2500,
    note="AMD publishes no TDP: press says above 2 kW, one uncorroborated note says 2.5 kW",
)
f("B200", "tdp_w", "chip", 1000, "lenovo-hgx-b200")
f("GB200", "tdp_w", "chip", 1200, "nvidia-gb200-press")
f(
    "B300",
    "tdp_w",
    "chip",
    1100,
    "lenovo-hgx-b300",
    low=1100,
    high=1400,
    note="The only published sheet; a DGX B300 of 14.5 kW fits about 1,100 W a GPU",
)
alt("B300", "tdp_w", "chip", 1200, "inferencex-gpu-keys-2026", "As the TCO model takes it")
alt("B300", "tdp_w", "chip", 1400, "nvidia-blackwell-ultra-blog-2025", "Upper end for the whole family")
f(
    "GB300",
    "tdp_w",
    "chip",
    1400,
    "nvidia-blackwell-ultra-blog-2025",
    low=1100,
    high=1400,
    note="NVIDIA and most analysts agree on it",
)
alt("GB300", "tdp_w", "chip", 1100, "lenovo-gb300-lp2357", "Total graphics power in this sheet")
f("R200", "tdp_w", "chip", 2300, "semianalysis-rubin-2026-02", low=1800, high=2300, note="Max-P; NVIDIA publishes none")
f(
    "VR200",
    "tdp_w",
    "chip",
    1800,
    "semianalysis-rubin-2026-02",
    low=1800,
    high=2300,
    note="Max-Q; that it is the operating point of the rack at scale is an inference",
)
# all-in
for a, x in dict(
    H100=1.37,
    H200=1.37,
    B200=1.71,
    B300=1.90,
    GB200=1.87,
    GB300=2.12,
    MI300X=1.39,
    MI325X=1.69,
    MI355X=2.09,
    TPUv7=1.207,
    Jalapeno=1.125,
).items():
    f(
        a,
        "all_in_kw",
        "it",
        x,
        "inferencex-gpu-keys-2026",
        note="Nameplate of chip with its share of host and network, before any PUE",
    )
for r in csv.DictReader(open(F + "tco_power_constants.csv")):
    if "2026-04" in r["date"]:
        f(
            r["accelerator"],
            "all_in_kw",
            "utility",
            r["kw_per_gpu"],
            "inferencex-constants-2026-04",
            note="Contains cooling: no PUE may be put on it",
        )
        ph = " A placeholder of the source: 1.2 times the previous generation" if "placeholder" in r["note"] else ""
        f(
            r["accelerator"],
            "owner_cost_usd_per_h",
            "hyperscaler",
            r["usd_per_gpu_h_hyperscaler"],
            "inferencex-constants-2026-04",
            pref="no",
            note=ph.strip(),
        )
        f(
            r["accelerator"],
            "owner_cost_usd_per_h",
            "neocloud",
            r["usd_per_gpu_h_neocloud"],
            "inferencex-constants-2026-04",
            pref="no",
            note=ph.strip(),
        )
    elif "2026-08" == r["date"] and r["accelerator"] != "RTX6000PRO":
        f(
            r["accelerator"],
            "owner_cost_usd_per_h",
            "hyperscaler",
            r["usd_per_gpu_h_hyperscaler"],
            "inferencex-gpu-keys-2026",
        )
        f(r["accelerator"], "owner_cost_usd_per_h", "neocloud", r["usd_per_gpu_h_neocloud"], "inferencex-gpu-keys-2026")
    elif "2026-07" in r["date"]:
        a = r["accelerator"].split()[0]
        f(
            a,
            "owner_cost_usd_per_h",
            "hyperscaler",
            r["usd_per_gpu_h_hyperscaler"],
            "inferencex-vr-blog-2026-07",
            pref="no",
        )
f("VR200", "owner_cost_usd_per_h", "hyperscaler", 3.61, "semianalysis-tco-2026-09")
f("TPUv7", "owner_cost_usd_per_h", "hyperscaler", 1.21, "semianalysis-tco-2026-09")
f(
    "R200",
    "all_in_kw",
    "it",
    3.30,
    "inferencex-gpu-keys-2026",
    low=2.64,
    high=3.47,
    note="Range: racks of 190 to 250 kW over 72",
)
f(
    "VR200",
    "all_in_kw",
    "it",
    3.30,
    "inferencex-gpu-keys-2026",
    low=2.64,
    high=3.47,
    note="Range: racks of 190 to 250 kW over 72; the figure is that of VR NVL72, whose operating point is not stated",
)
f(
    "MI455X",
    "all_in_kw",
    "rack",
    "",
    "servethehome-mi455x-2026-07",
    low=3.125,
    high=3.403,
    note="Helios at 225 to 245 kW over 72: rack nameplate, no scale-out network outside",
)
f(
    "MI455X",
    "all_in_kw",
    "it",
    3.39,
    "assumption",
    "2026-11",
    low=3.19,
    high=3.67,
    note="Rack figure times 1.04 (1.02 to 1.08) for scale-out switches, storage and management, as no source gives the IT level",
)
# rents
R3 = dict(
    H100=(2.00, 1.30),
    H200=(2.90, 1.60),
    B200=(3.70, 2.90),
    B300=(4.25, 3.48),
    GB200=(4.00, 3.30),
    GB300=(5.00, 3.96),
    MI300X=(1.30, 1.55),
    MI325X=(1.60, 1.80),
    MI355X=(2.90, 2.10),
)
for a, (n, o) in R3.items():
    f(a, "rent_usd_per_h", "contract_3y", n, "semianalysis-tco-2026-09")
    f(a, "rent_usd_per_h", "contract_3y", o, "inferencex-constants-2026-04", pref="no")
f(
    "VR200",
    "rent_usd_per_h",
    "contract_3y",
    8.5,
    "semianalysis-tco-2026-09",
    note="Another stored version holds a placeholder of 3.61",
)
f("TPUv7", "rent_usd_per_h", "contract_3y", 2.0, "semianalysis-tco-2026-09")
for a, c, h in [
    ("A100", 1.59, 3.43),
    ("H100", 3.20, 6.88),
    ("H200", 3.99, 7.91),
    ("B200", 6.0, 14.24),
    ("B300", 7.4, 17.8),
    ("GB200", 10.5, 16.0),
    ("GB300", 18.0, 18.0),
    ("MI300X", 2.59, 6.0),
    ("MI325X", 3.80, ""),
    ("MI355X", 2.59, 8.6),
]:
    f(
        a,
        "rent_usd_per_h",
        "on_demand_cheapest",
        c,
        "price-sheets-2026-09",
        note="Preemptible; 8.60 otherwise" if a == "MI355X" else "",
    )
    f(a, "rent_usd_per_h", "on_demand_hyperscaler", h, "price-sheets-2026-09")
for a, m in dict(H100=3.15, H200=4.11, B200=6.25).items():
    f(a, "rent_usd_per_h", "on_demand_median", m, "aimultiple-medians-2026-07")
# GPU prices
f("A100", "price_usd", "reseller", 12500, "intuitionlabs-prices-2026", low=10000, high=15000)
f("H100", "price_usd", "reseller", 27500, "mercatus-prices-2026-05", low=25000, high=30000)
f("H200", "price_usd", "reseller", 36000, "mercatus-prices-2026-05", low=32000, high=40000)
f(
    "B200",
    "price_usd",
    "reseller",
    45000,
    "gpu-fm-prices-2026-02",
    low=30000,
    high=55000,
    note="The low end is an estimate of 2025",
)
f("R200", "price_usd", "asp", 55000, "morgan-stanley-rack-prices-2026-05")
f("MI355X", "price_usd", "asp", 23000, "hsbc-amd-2025-09", note="Lowered from 25,000")
f("MI300X", "price_usd", "rumour", "", "gpu-price-reports-2026", low=15000, high=25000, note="Reverse-engineered")
f("MI325X", "price_usd", "rumour", "", "gpu-price-reports-2026", low=18000, high=28000, note="Reverse-engineered")
f("MI455X", "price_usd", "rumour", "", "gpu-price-reports-2026", low=30000, high=40000, note="Very weak")
f("MI455X", "price_usd", "asp", 40000, "bofa-amd-call-2025-10", note="BofA takes a price above this")
f("MI455X", "scale_out_network_usd", "hyperscaler", 8000, "semianalysis-mi455x-2026-07")
# systems
SYS = {
    "8x MI300X UBB server": "8xMI300X",
    "8x MI325X UBB server": "8xMI325X",
    "8x MI350X UBB platform": "8xMI350X",
    "8x MI355X UBB platform": "8xMI355X",
    "OCI MI355X rack (64 GPUs)": "OCI-MI355X-64",
    "MI355X 128-GPU DLC rack": "MI355X-128",
    "MI440X 8-GPU enterprise box": "8xMI440X",
    "AMD Helios (72x MI455X)": "Helios",
    "AMD Helios 500 (MI500)": "Helios-500",
    "DGX A100 (80GB)": "DGX-A100",
    "DGX H100": "DGX-H100",
    "HGX H100 8-GPU server": "HGX-H100",
    "DGX H200": "DGX-H200",
    "HGX H200 8-GPU server": "HGX-H200",
    "DGX B200": "DGX-B200",
    "HGX B200 8-GPU server": "HGX-B200",
    "DGX B300": "DGX-B300",
    "HGX B300 8-GPU server": "HGX-B300",
    "HGX Rubin NVL8": "HGX-Rubin-NVL8",
    "GB200 NVL72": "GB200-NVL72",
    "GB300 NVL72": "GB300-NVL72",
    "Vera Rubin NVL72 (Max-P, 2,300 W GPUs)": "VR-NVL72-MaxP",
    "Vera Rubin NVL72 (Max-Q, 1,800 W GPUs)": "VR-NVL72-MaxQ",
    "Vera Rubin NVL144 CPX": "VR-NVL144-CPX",
    "Rubin Ultra Kyber (2025 name NVL576, 2026 name NVL144)": "Rubin-Ultra-Kyber",
    "TPU v7 Ironwood rack (64 chips)": "TPUv7-rack",
    "Trn3 Gen2 UltraServer": "Trn3-UltraServer",
}
ACC = {
    "MI500 series": "MI500",
    "A100 80GB SXM": "A100",
    "H100 SXM": "H100",
    "H200 SXM": "H200",
    "Rubin R200": "R200",
    "Rubin VR200": "VR200",
    "Rubin + Rubin CPX": "R200",
    "Rubin Ultra 4-die": "RubinUltra",
    "TPU v7 Ironwood": "TPUv7",
}
SS = {
    "8xMI300X": "amd-cdna3-white-paper",
    "8xMI325X": "amd-cdna3-white-paper",
    "8xMI350X": "amd-cdna4-white-paper",
    "8xMI355X": "amd-cdna4-white-paper",
    "OCI-MI355X-64": "oracle-mi355x-2025-06",
    "MI355X-128": "amd-mi350-page-2025",
    "8xMI440X": "amd-ces-2026-01",
    "Helios": "amd-cdna5-white-paper-2026-07",
    "Helios-500": "amd-ces-2026-01",
    "HGX-H100": "nvidia-h100",
    "HGX-H200": "nvidia-h200",
    "HGX-B200": "nvidia-hgx",
    "HGX-B300": "nvidia-hgx",
    "HGX-Rubin-NVL8": "nvidia-hgx-rubin-2026",
    "GB200-NVL72": "nvidia-gb200",
    "GB300-NVL72": "nvidia-gb300",
    "VR-NVL72-MaxP": "nvidia-vera-rubin-2026",
    "VR-NVL72-MaxQ": "nvidia-vera-rubin-2026",
    "VR-NVL144-CPX": "nvidia-rubin-cpx-2025-09",
    "Rubin-Ultra-Kyber": "rubin-ultra-press-2026",
    "TPUv7-rack": "google-tpu-docs",
    "Trn3-UltraServer": "aws-neuron-docs",
}
SAL = {
    "Helios": "Helios rack;AMD Helios (72x MI455X)",
    "VR-NVL72-MaxP": "Vera Rubin NVL72 Max-P",
    "VR-NVL72-MaxQ": "Vera Rubin NVL72 Max-Q",
    "GB200-NVL72": "GB200 NVL72",
    "GB300-NVL72": "GB300 NVL72",
    "Rubin-Ultra-Kyber": "NVL576",
}
SNOTE = {
    "Helios": "Double-wide rack: compare per kW, not per rack of floor",
    "MI355X-128": "Sixteen separate scale-up domains",
    "OCI-MI355X-64": "Eight separate scale-up domains",
    "VR-NVL144-CPX": "72 Rubin packages and 144 CPX; reported canceled",
    "Rubin-Ultra-Kyber": "Reported canceled with its four-die package",
    "VR-NVL72-MaxQ": "That the operating point at scale is Max-Q is an inference",
}
for r in csv.DictReader(open(F + "systems.csv")):
    n = SYS[r["system"]]
    s = SS.get(n, "nvidia-" + n.lower())
    a = ACC.get(r["accelerator"], r["accelerator"])
    SUB.append(
        [
            n,
            "system",
            re.sub(r" \(.*", "", r["system"])
            if n not in ("VR-NVL72-MaxP", "VR-NVL72-MaxQ")
            else "Vera Rubin NVL72, " + n[-4:-1] + "-" + n[-1],
            SAL.get(n, ""),
            r["vendor"],
            a,
            "",
            "",
            "",
            "",
            "",
            "",
            r["cpu"],
            r["cooling"],
            SNOTE.get(n, ""),
        ]
    )
    f(n, "accelerators_per_system", "system", r["accelerators_per_system"] if n != "VR-NVL144-CPX" else "216", s)
    for c, q, k in [
        ("fp8_pflops_dense", "fp8_pflops", "dense"),
        ("fp4_pflops_dense", "fp4_pflops", "dense"),
        ("scale_up_tb_s", "scale_up_tb_s", "bidirectional"),
        ("scale_out_tb_s", "scale_out_tb_s", "bidirectional"),
    ]:
        f(n, q, k, r[c], s)
    f(
        n,
        "memory_tb",
        "usable"
        if n in ("DGX-B300", "HGX-B300", "DGX-B200", "HGX-B200", "GB200-NVL72")
        or "200" in n
        and n.startswith(("DGX-H2", "HGX-H2"))
        else "physical",
        r["memory_tb"],
        s,
    )
f("8xMI355X", "fp8_pflops", "sparse", 80.5, "amd-mi350-page-2025", note="AMD's platform table prints the sparse figure")
f("VR-NVL72-MaxP", "fp4_pflops", "headline", 3600, "nvidia-vera-rubin-2026", note="For inference, not dense")
f("HGX-Rubin-NVL8", "fp4_pflops", "headline", 400, "nvidia-hgx-rubin-2026", note="For inference, not dense")
f("GB200-NVL72", "fp4_pflops", "sparse", 1440, "nvidia-gb200")
for n, kw in [("DGX-A100", 6.5), ("DGX-H100", 10.2), ("DGX-H200", 10.2), ("DGX-B200", 14.3), ("DGX-B300", 14.5)]:
    f(n, "server_kw", "nameplate", kw, "nvidia-" + n.lower(), note="Maximum of the data sheet")
f("HGX-Rubin-NVL8", "server_kw", "nameplate", 24, "compal-rubin-nvl8-2026-06")
f("OCI-MI355X-64", "rack_kw", "nameplate", 125, "oracle-mi355x-2025-06")
f("MI355X-128", "rack_kw", "nameplate", 200, "amd-mi350-page-2025")
f(
    "Helios",
    "rack_kw",
    "nameplate",
    "",
    "servethehome-mi455x-2026-07",
    low=225,
    high=245,
    note="Under load, by press at the launch; AMD gives rack power under NDA only",
)
f(
    "GB200-NVL72",
    "rack_kw",
    "nameplate",
    132,
    "hpe-gb200-nvl72",
    note="The only published thermal design power of a rack",
)
alt("GB200-NVL72", "rack_kw", "nameplate", 121, "bofa-rack-power-2026", "Build-up by parts")
alt("GB200-NVL72", "rack_kw", "nameplate", "", "nvidia-gb200-press", "As NVIDIA tells the press", low=120, high=125)
f("GB200-NVL72", "rack_kw", "peak", 192, "hpe-gb200-nvl72", note="Electrical peak of milliseconds")
f("GB300-NVL72", "rack_kw", "nameplate", 135, "lenovo-gb300-lp2357", note="The only published sheet")
alt("GB300-NVL72", "rack_kw", "nameplate", 136, "bofa-rack-power-2026", "Build-up by parts")
alt("GB300-NVL72", "rack_kw", "nameplate", "", "nvidia-gb200-press", "Others in the press", low=132, high=142)
f("GB300-NVL72", "rack_kw", "peak", 155, "lenovo-gb300-lp2357")
f(
    "VR-NVL72-MaxP",
    "rack_kw",
    "nameplate",
    230,
    "semianalysis-rubin-2026-02",
    low=220,
    high=250,
    note="Max-P; NVIDIA publishes none",
)
alt("VR-NVL72-MaxP", "rack_kw", "nameplate", "", "register-rubin-2026", "An estimate by the press", low=240, high=250)
f(
    "VR-NVL72-MaxQ",
    "rack_kw",
    "nameplate",
    190,
    "semianalysis-rubin-2026-02",
    low=177,
    high=230,
    note="Max-Q; NVIDIA publishes none",
)
alt("VR-NVL72-MaxQ", "rack_kw", "nameplate", 177, "bofa-rack-power-2026", "Build-up by parts")
f("VR-NVL144-CPX", "rack_kw", "nameplate", 370, "nvidia-rubin-cpx-2025-09", note="Through press of 2025")
f("Rubin-Ultra-Kyber", "rack_kw", "nameplate", 600, "rubin-ultra-press-2026", note="NVIDIA's own word of 2025")
alt("Rubin-Ultra-Kyber", "rack_kw", "nameplate", 646, "bofa-rack-power-2026", "Build-up by parts")
P = "semianalysis-inferencemax-2025-10"
M = "morgan-stanley-rack-prices-2026-05"
for n, x in [("HGX-H100", 189637), ("HGX-B200", 308680), ("8xMI300X", 145017), ("8xMI355X", 189607)]:
    f(n, "price_usd", "hyperscaler", x, P)
f("HGX-H100", "price_usd", "oem", 285000, "mercatus-prices-2026-05", low=250000, high=320000)
f("HGX-H200", "price_usd", "oem", 370000, "mercatus-prices-2026-05", low=320000, high=420000)
f("DGX-H100", "price_usd", "reseller", "", "intuitionlabs-prices-2026", low=300000, high=460000)
f("DGX-H200", "price_usd", "reseller", "", "intuitionlabs-prices-2026", low=400000, high=500000)
f("DGX-B200", "price_usd", "reseller", 515000, "gpu-fm-prices-2026-02")
f("HGX-B200", "price_usd", "oem", 450000, "gpu-fm-prices-2026-02", low=380000, high=515000)
f(
    "GB200-NVL72",
    "price_usd",
    "hyperscaler",
    3400000,
    "bernstein-gw-cost-2025-10",
    low=3000000,
    high=4000000,
    note="Hardware only and of the same month as the servers' prices",
)
alt(
    "GB200-NVL72",
    "price_usd",
    "hyperscaler",
    "",
    M,
    "A later estimate, after memory prices rose",
    low=3500000,
    high=4000000,
)
f("GB200-NVL72", "price_usd", "reseller", 3000000, "gpu-fm-prices-2026-02")
f("GB300-NVL72", "price_usd", "hyperscaler", 4000000, M, low=3500000, high=4000000)
for n in ("VR-NVL72-MaxP", "VR-NVL72-MaxQ"):
    f(
        n,
        "price_usd",
        "hyperscaler",
        7803148,
        M,
        low=5000000,
        high=9100000,
        note="About 2.0 million USD of it is memory",
    )
f(
    "Helios",
    "price_usd",
    "rumour",
    5200000,
    "helios-price-reports-2026",
    low=5000000,
    high=5500000,
    note="Rumor: AMD publishes no price and sells components, not racks",
)
# measured power
PS = {}


def slug(t):
    return re.sub(r"[^a-z0-9]+", "-", t.lower()).strip("-")


PSRC = {
    "mlcommons/inference_results_v5.1": (
        "mlperf-inference-v5-1",
        "MLPerf Inference v5.1 results",
        "MLCommons",
        "2025-09-09",
        "https://github.com/mlcommons/inference_results_v5.1",
    ),
    "mlcommons/inference_results_v4.1": (
        "mlperf-inference-v4-1",
        "MLPerf Inference v4.1 results",
        "MLCommons",
        "2024-08-28",
        "https://github.com/mlcommons/inference_results_v4.1",
    ),
    "training_results_v5.0": (
        "mlperf-training-v5-0",
        "MLPerf Training v5.0 results",
        "MLCommons",
        "2025-06-04",
        "https://github.com/mlcommons/training_results_v5.0",
    ),
    "2412.08602": (
        "brookhaven-h100-2024-12",
        "Power draw of H100 nodes in training",
        "Brookhaven National Laboratory",
        "2024-12",
        "https://arxiv.org/abs/2412.08602",
    ),
    "issues/5219": (
        "rocm-issue-5219",
        "Idle power of MI355X and B200",
        "ROCm issue tracker",
        "2025-08-21",
        "https://github.com/ROCm/legacy-rocm-build/issues/5219",
    ),
    "2605.23918": (
        "h100-idle-2026-05",
        "Idle power of an H100 fleet",
        "arXiv",
        "2026-05",
        "https://arxiv.org/abs/2605.23918",
    ),
    "serialalice": (
        "alice-benchmark-2026",
        "ALICE LLM benchmark",
        "ALICE",
        "2026-06",
        "http://api.serialalice.pt/alice-benchmark",
    ),
    "power p90 backfill": ("inferencex-power-backfill-2026-09",) + (None,) * 4,
    "metrum": (
        "metrum-mi300x-2026-03",
        "TCO of MI355X and MI300X",
        "Metrum AI",
        "2026-03",
        "https://www.metrum.ai/blog/tco-titan-mi355x-vs-mi300x",
    ),
    "2605.24461": (
        "meta-gb200-2026-05",
        "Power of a GB200 cluster",
        "Meta",
        "2026-05",
        "https://arxiv.org/abs/2605.24461",
    ),
}
HOST = {"B200": "HGX-B200", "H200": "HGX-H200", "H100": "HGX-H100", "MI300X": "8xMI300X"}
for r in csv.DictReader(open(F + "power_measured.csv")):
    key = next((k for k in PSRC if k in r["source_url"]), None)
    if not key or r["unit"] not in ("W", "kW") or "," in r["accelerator"]:
        continue
    i, t, p, d, u = PSRC[key]
    if i not in S:
        src(i, t, p, d, u, "measured", "second-hand")
    a = r["accelerator"]
    cat = r["category"]
    lo, hi = r["low"], r["high"]
    if lo and not hi or hi and not lo:
        lo = hi = ""
    if r["value"] and lo and not (float(lo) <= float(r["value"]) <= float(hi)):
        lo = hi = ""
    nt = "" if r["low"] or not r["high"] else "Highest " + r["high"] + " W"
    if "GPU power, idle" == cat:
        f(a, "idle_w", "chip", r["value"], i, low=lo, high=hi, note=r["scope"].replace(", ", " by "))
    elif "GPU power, loaded" == cat and r["scope"] != "node" or r["id"] == "P032":
        f(
            a,
            "loaded_w",
            slug((r["subject"] if "InferenceX" in r["subject"] else r["metric"]) + " " + r["scope"]),
            r["value"],
            i,
            low=lo,
            high=hi,
            note=nt,
        )
    else:
        k = lambda x: float(x) / 1000 if x else ""
        f(
            HOST[a],
            "measured_server_kw",
            slug(r["workload"] + " " + r["scope"] + (" idle" if "idle" in cat else "")),
            k(r["value"]),
            i,
            low=k(lo),
            high=k(hi),
            note=r["subject"],
        )


def exc(s, rule, why):
    f(s, "convention_exception", rule, 1, "assumption", "2026-11", note=why)


exc("VR-NVL144-CPX", "power_adds_up", "144 of its 216 accelerators are CPX parts of less power")
exc("Gaudi3", "fp8_twice_bf16", "FP8 runs at the rate of BF16 on this part")
exc("Trainium2", "fp8_twice_bf16", "1,299 against 667: AWS rounds both") if False else None
UNITSQ = "convention_exception: {unit: rule, conditions: any, minimum: 1, maximum: 1, title: A convention that does not bind this subject}\n"
open(OUT + "d1_quantities.yaml", "w").write(UNITSQ)
used = {x[10] for x in FA} | set(
    "assumption semianalysis-mi455x-2026-07 epoch-datacenter-cost-2026 amd-openai-8k-2025-10 bernstein-gw-cost-2025-10 bofa-amd-call-2025-10 jpmorgan-amd-2025-10 servethehome-mi455x-2026-07".split()
)


def w(n, h, rows):
    with open(OUT + n, "w", newline="") as fh:
        c = csv.writer(fh, lineterminator="\n")
        c.writerow(h.split(","))
        c.writerows(rows)


w("d1_sources.csv", "source_id,title,publisher,published,url,kind,access,note", [v for k, v in S.items() if k in used])
w(
    "d1_subjects.csv",
    "subject,kind,name,aliases,vendor,accelerator,architecture,process_node,release,status,memory_type,scale_up_link,cpu,cooling,note",
    SUB,
)
w("d1_facts.csv", "subject,quantity,condition,value,low,high,range_kind,unit,as_of,kind,source_id,preferred,note", FA)
print(len(S), len(used), len(SUB), len(FA))
