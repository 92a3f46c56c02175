"""Asks clingo one question about one set of facts, and prints one line of JSON.

    ask.py ENCODING QUESTION FACTS [clingo options]

QUESTION is cheapest, attacks:K, or promise:SECRETS,CHANNELS,DEVICES. Times are
seconds of processor time of this process without the start of Python and
without importing clingo; a short question is asked several times and the
middle one counts, as for the prover.
"""

import json
import os
import resource
import sys
import time

import clingo

HERE = os.path.dirname(os.path.abspath(__file__))


def control(encoding, facts, options, extra=()):
    """Reads the facts and the encoding: the text, in clingo's terms."""
    made = clingo.Control(["--warn=none", *options])
    made.load(os.path.join(HERE, encoding + ".lp"))
    for name in extra:
        made.load(os.path.join(HERE, name + ".lp"))
    made.load(facts)
    return made


def taken(model):
    return sorted(symbol.arguments[0].number for symbol in model.symbols(shown=True))


def cheapest(clock, encoding, facts, options):
    made = control(encoding, facts, options, ["cheapest"])
    clock("read")
    made.ground([("base", [])])
    clock("ground")
    best = None
    with made.solve(yield_=True) as models:
        for model in models:
            best = {"cost": model.cost[0], "set": taken(model)}
    clock("solve")
    return best


def promise(clock, encoding, facts, options, limits):
    made = control(encoding, facts, options, ["budget"])
    budget = zip(["secret", "channel", "device"], limits.split(","))
    made.add("base", [], "".join(f"budget({kind},{n})." for kind, n in budget if n != "0"))
    clock("read")
    made.ground([("base", [])])
    clock("ground")
    kept = made.solve().unsatisfiable
    clock("solve")
    return {"kept": kept}


def attacks(clock, encoding, facts, options, at_most):
    made = control(encoding, facts, ["0", *options], ["size"])
    clock("read")
    made.ground([("base", [])])
    clock("ground")
    literal = {
        atom.symbol.arguments[0].number: atom.literal
        for atom in made.symbolic_atoms.by_signature("take", 1)
    }
    sets = []
    for size in range(int(at_most) + 1):
        number = clingo.Number(size)
        made.ground([("size", [number])])
        made.assign_external(clingo.Function("now", [number]), True)
        with made.solve(yield_=True) as models:
            found = [taken(model) for model in models]
        made.release_external(clingo.Function("now", [number]))
        with made.backend() as backend:
            for one in found:
                backend.add_rule([], [literal[primitive] for primitive in one])
        sets += found
    clock("solve")
    return {"sets": sets}


def main():
    encoding, question, facts, *options = sys.argv[1:]
    name, _, argument = question.partition(":")
    ask = {"cheapest": cheapest, "promise": promise, "attacks": attacks}[name]
    runs = []
    while True:
        times = {}
        last = time.process_time()

        def clock(part):
            nonlocal last
            now = time.process_time()
            times[part] = now - last
            last = now

        answer = ask(clock, encoding, facts, options, *([argument] if argument else []))
        runs.append(times)
        if len(runs) == 5 or sum(sum(run.values()) for run in runs) >= 1:
            break
    runs.sort(key=lambda run: sum(run.values()))
    middle = runs[len(runs) // 2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"times": middle, "megabytes": peak, "answer": answer}))


main()
