"""streams: a stream from one app to another, and what a part of it costs at either end.

Unlike in other measurements both ends are apps, and each reads the kernel's count of its own CPU
time: the callee's at the part that is the first to count and when it is asked afterwards, the
caller's at the same part and at the last. A stream goes through `wampy-lua router`.
"""
import subprocess

from measure import STEP_LIMIT, report, running, until_line

WARMUP = 10000


def stream(callee, caller, router, count):
    """One stream of `count` parts: the caller's report."""
    pipe = {"stdout": subprocess.PIPE}
    with running([*callee, router.url], **pipe) as sender:
        until_line(sender, "joined")
        counts = ["env", f"BENCH_COUNT={count}", f"BENCH_WARMUP={WARMUP}"]
        with running([*counts, *caller, router.url], **pipe) as reader:
            try:
                said, _ = reader.communicate(timeout=STEP_LIMIT)
            except subprocess.TimeoutExpired:
                said = ""
    return report(next((line for line in said.splitlines() if line[0] == "{"), ""), "stream")


def part(end, callee, caller, router, count):
    """What a part costs the end under test, "caller" or "callee"."""
    result = stream(callee, caller, router, count)
    return {"cost": result[f"{end}_ns"] / result["count"] / 1000, "bad": result["bad"]}


def growth(callee, caller, router, found):
    """MiB that the larger grower of the two grows by behind part 10,000 of a million: once."""
    if not found:
        found.update(stream(callee, caller, router, 1000000))
    return {"cost": max(found["caller_kib"], found["callee_kib"]) / 1024, "bad": found["bad"]}
