"""Holds what `countersign check --format sarif` writes to the schema of SARIF 2.1.0, and reads it with sarif-tools,
a viewer written by others: every finding must stand at the line that `--format json` gives for it.

    python verify_sarif.py COUNTERSIGN SCHEMA FILE...

Prints one line; exit 0 if all agree. Needs jsonschema and sarif-tools.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
from sarif import loader


def check(program, output_format, files):
    """What `check` prints; it exits 1 or 2 if something is wrong with the procedures, which is why we ask."""
    done = subprocess.run(
        [program, "check", "--format", output_format, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if done.returncode not in (0, 1, 2) or not done.stdout:
        sys.exit(f"check --format {output_format} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def expected(program, files):
    """(code, line) of every finding, from the JSON that programs read."""
    findings = []
    for answer in map(json.loads, check(program, "json", files).splitlines()):
        for diagnostic in answer["diagnostics"]:
            findings.append((diagnostic["code"], diagnostic["labels"][0]["start"]["line"]))
        for promise in answer["promises"]:
            if not promise["kept"]:
                findings.append(("broken-promise", None))
    return findings


def main():
    program, schema, *files = sys.argv[1:]
    text = check(program, "sarif", files)
    validator = jsonschema.validators.validator_for(json.loads(pathlib.Path(schema).read_text("utf-8-sig")))
    validator(json.loads(pathlib.Path(schema).read_text("utf-8-sig"))).validate(json.loads(text))
    with tempfile.NamedTemporaryFile("w", suffix=".sarif") as file:
        file.write(text)
        file.flush()
        shown = [(record["Code"], record["Line"]) for record in loader.load_sarif_file(file.name).get_records()]
    wanted = expected(program, files)
    if sorted(code for code, _ in shown) != sorted(code for code, _ in wanted):
        sys.exit(f"sarif-tools shows other findings: {shown} instead of {wanted}")
    missing = [finding for finding in wanted if finding[1] is not None and finding not in shown]
    if missing:
        sys.exit(f"not shown at their lines: {missing}")
    flows = [result for result in json.loads(text)["runs"][0]["results"] if "codeFlows" in result]
    if not shown or not flows:
        sys.exit("nothing was found in files that were chosen for their findings")
    print(f"sarif: valid; {len(shown)} findings at their lines, {len(flows)} with their attack")


if __name__ == "__main__":
    main()
