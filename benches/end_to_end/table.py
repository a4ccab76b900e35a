"""The table: medians, their spread, and each against whom it is held. As markdown, and as JSON beside it."""

import json
from statistics import median


def written(chosen, results, facts, folder):
    medians = {key: median(figure["per_s"] for figure in result["figures"])
               for key, result in results.items() if result["figures"]}
    text = "\n".join([heading(facts), "", *rows(chosen, results, medians), "", *latencies(chosen, results), ""])
    (folder / "end_to_end.md").write_text(text)
    (folder / "end_to_end.json").write_text(json.dumps({"facts": facts, "medians": medians, "results": results},
                                                       indent=1))
    return text


def heading(facts):
    return (f"{facts['date']}, commit {facts['commit']}. {facts['cpu']}, {facts['cores']} cores, "
            f"virtual: {facts['virtual']}, Linux {facts['kernel']}; clients and servers on the same machine, "
            f"127.0.0.1. Load average {facts['load_before']} before and {facts['load_after']} after "
            f"(the run itself included). Medians of {facts['runs']} turns of {facts['seconds']} s, all in turn; "
            f"{facts['in_flight']} in flight, {facts['connections']} gRPC connections.")


def rows(chosen, results, medians):
    yield "| what | one unit | durable | a second | least to most | against |"
    yield "|---|---|---|---|---|---|"
    for one in chosen:
        figures = [figure["per_s"] for figure in results[one.key]["figures"]]
        if not figures:
            why = (results[one.key]["faults"] or ["nothing"])[-1]
            yield f"| `{one.key}` | {one.does} | {one.durable} | not measured | | {why} |"
            continue
        spread = f"{min(figures):,.0f} to {max(figures):,.0f}"
        ratios = "; ".join(ratio(medians[one.key], medians[other], other)
                           for other in one.against if other in medians)
        yield f"| `{one.key}` | {one.does} | {one.durable} | {medians[one.key]:,.0f} | {spread} | {ratios} |"


def ratio(mine, other, name):
    """In words that keep the number above one fifth, whichever way round."""
    share = mine / other
    if share < 0.2:
        return f"`{name}` does {1 / share:.1f} times as many"
    return f"{share:.2f} of `{name}`" if share < 2 else f"{share:.1f} times `{name}`"


def latencies(chosen, results):
    """Of closed loops: they say how long the line was, not how quick an answer can be."""
    told = [one for one in chosen if any("latency" in figure for figure in results[one.key]["figures"])]
    if not told:
        return
    yield "In closed loop, so these are mostly the time in line behind what else is in flight:"
    yield ""
    yield "| what | call | p50 ms | p99 ms |"
    yield "|---|---|---|---|"
    for one in told:
        figures = results[one.key]["figures"]
        for kind in figures[0]["latency"]:
            quantile = lambda name: median(figure["latency"][kind][name] for figure in figures) / 1000
            yield f"| `{one.key}` | {kind} | {quantile('p50_us'):.2f} | {quantile('p99_us'):.2f} |"
